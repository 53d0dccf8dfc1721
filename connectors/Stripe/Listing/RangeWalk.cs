using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Listing;

/// <summary>One page of a walk, and what it leaves of the range that it came from.</summary>
/// <param name="Items">The objects, newest first.</param>
/// <param name="Range">The range that the page was read from.</param>
/// <param name="Rest">What remains of that range.</param>
/// <param name="Reply">The answer that holds the page.</param>
internal sealed record WalkPage(
    IReadOnlyList<JsonElement> Items, CreatedRange Range, IReadOnlyList<CreatedRange> Rest, StripeReply Reply);

/// <summary>
/// Reads a whole list with several requests in flight. A list can only be paged one page after the other, so ranges of
/// <c>created</c> are walked beside each other: whenever a walker is idle, the next page that has more behind it is cut
/// in two.
/// </summary>
internal sealed class RangeWalk(StripeClient client, StripeStream stream, int parallelism)
{
    private const int Attempts = 6;

    private readonly Channel<CreatedRange> _work = Channel.CreateUnbounded<CreatedRange>();
    private readonly Channel<WalkPage> _pages = Channel.CreateBounded<WalkPage>(Math.Max(2, parallelism));
    private int _open;

    /// <summary>The ranges that cover the whole list.</summary>
    public static IReadOnlyList<CreatedRange> Whole(StripeStream stream) =>
        [.. stream.ListFilters.Select(static filter => new CreatedRange(filter, 0, null, null))];

    /// <summary>
    /// Yields pages until the ranges are read. The page that made a range comes before every page of that range, so
    /// that a reader who replaces <see cref="WalkPage.Range"/> by <see cref="WalkPage.Rest"/> always holds what
    /// remains.
    /// </summary>
    /// <exception cref="SyncException">Stripe cannot be asked.</exception>
    public async IAsyncEnumerable<WalkPage> ReadAsync(
        IReadOnlyList<CreatedRange> ranges, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (ranges.Count == 0)
        {
            yield break;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _open = ranges.Count;
        foreach (var range in ranges)
        {
            _work.Writer.TryWrite(range);
        }

        var walkers = Enumerable.Range(0, parallelism).Select(_ => WalkAsync(stop.Token)).ToArray();
        try
        {
            await foreach (var page in _pages.Reader.ReadAllAsync(cancellationToken))
            {
                yield return page;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(walkers);
        }
    }

    /// <summary>Ends without a throw: a failure travels through the pages.</summary>
    private async Task WalkAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var range in _work.Reader.ReadAllAsync(cancellationToken))
            {
                await WalkAsync(range, cancellationToken);
            }
        }
        catch (Exception e)
        {
            _pages.Writer.TryComplete(e);
        }
    }

    private async Task WalkAsync(CreatedRange? range, CancellationToken cancellationToken)
    {
        while (range is not null)
        {
            var page = await PageAsync(range, cancellationToken);
            if (page.Rest.Count > 1)
            {
                Interlocked.Increment(ref _open);
            }

            await _pages.Writer.WriteAsync(page, cancellationToken);
            foreach (var part in page.Rest.Skip(1))
            {
                _work.Writer.TryWrite(part);
            }

            range = page.Rest.Count > 0 ? page.Rest[0] : null;
        }

        if (Interlocked.Decrement(ref _open) == 0)
        {
            _work.Writer.TryComplete();
            _pages.Writer.TryComplete();
        }
    }

    private async Task<WalkPage> PageAsync(CreatedRange range, CancellationToken cancellationToken)
    {
        var request = Ask(range);
        var reply = await client.ReadAsync(request, Attempts, cancellationToken);
        if (range.After is not null && reply.Error is { Path: "starting_after" })
        {
            // The object under the cursor has gone. Its second is read again, so that nothing beside it is passed over.
            reply = await client.ReadAsync(Ask(range.WithoutCursor()), Attempts, cancellationToken);
        }

        var page = ListPage.Of(request, reply);
        if (!page.HasMore)
        {
            return new WalkPage(page.Items, range, [], reply);
        }

        var rest = range.Rest(page.LastId, page.LastCreated);
        return new WalkPage(page.Items, range, Volatile.Read(ref _open) < parallelism ? rest.Split() : [rest], reply);
    }

    private StripeRequest Ask(CreatedRange range) => StripeRequest.Get(stream.Path, $"{stream.Path}?{range.Query}");
}
