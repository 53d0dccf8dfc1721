using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Duplex.Server.Problems;

namespace Duplex.Server.Feeds;

/// <summary>Some records of a feed, and where to read on.</summary>
internal sealed record FeedSlice(
    IReadOnlyList<FeedRecord> Records, long AfterOffset, long NextOffset, long FirstOffset, long LastOffset);

/// <summary>Reads a feed for one request.</summary>
internal sealed class FeedPoll(IFeedStore store, string customer, FeedQuery query)
{
    public string Customer => customer;

    public FeedQuery Query => query;

    /// <summary>Where the request begins to read.</summary>
    public async ValueTask<long> BeginAsync(FeedState state, CancellationToken cancellationToken)
    {
        if (query.Offset is { } given)
        {
            return given;
        }

        // Who has no position yet misses nothing by beginning with the first record that is left.
        return query.Consumer is null
            ? state.FirstOffset - 1
            : await store.ReadConsumerAsync(customer, query.Consumer, cancellationToken).ConfigureAwait(false)
                ?? state.FirstOffset - 1;
    }

    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>.</exception>
    public async ValueTask<FeedSlice> ReadAsync(long after, CancellationToken cancellationToken)
    {
        var state = await store.FindAsync(customer, cancellationToken).ConfigureAwait(false)
            ?? throw FeedRefusals.Unknown(customer);
        var records = await store.ReadAsync(customer, after, query.Limit, query.Table, cancellationToken)
            .ConfigureAwait(false);
        // Nothing of the table lies between here and the end, so that its reader does not fall behind retention.
        var next = records.Count > 0 ? records[^1].Offset : query.Table is null ? after
            : Math.Max(after, state.LastOffset);
        return new FeedSlice(
            records, after, next, state.FirstOffset, Math.Max(state.LastOffset, records.Count > 0 ? next : 0));
    }

    /// <summary>Reads until there is a record or the patience ends; then the slice is empty.</summary>
    public async ValueTask<FeedSlice> WaitAsync(
        FeedSlice slice, TimeSpan patience, CancellationToken stopping, CancellationToken cancellationToken)
    {
        if (slice.Records.Count > 0 || patience == TimeSpan.Zero)
        {
            return slice;
        }

        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        limited.CancelAfter(patience);
        try
        {
            while (slice.Records.Count == 0)
            {
                await store.WaitAsync(customer, slice.NextOffset, limited.Token).ConfigureAwait(false);
                slice = await ReadAsync(slice.NextOffset, limited.Token).ConfigureAwait(false)
                    with { AfterOffset = slice.AfterOffset };
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The patience has ended, or the server stops.
        }

        return slice;
    }

    /// <summary>Stores the consumer's position behind what was sent, where the request asks for it.</summary>
    public async ValueTask AcknowledgeAsync(FeedSlice slice, CancellationToken cancellationToken)
    {
        if (query.Acknowledge && slice.NextOffset > slice.AfterOffset && slice.NextOffset <= slice.LastOffset)
        {
            await store.CommitConsumerAsync(
                customer, query.Consumer!, slice.NextOffset, rewind: false, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The answer to a reader whose records retention has removed.</summary>
    public async ValueTask<Refusal> GoneAsync(SyncError gap, CancellationToken cancellationToken)
    {
        var first = (await store.FindAsync(customer, cancellationToken).ConfigureAwait(false))?.FirstOffset ?? 1;
        var refusal = Refusal.Make(StatusCodes.Status410Gone, "Removed by retention", "feed.gone", gap.Message,
            "offset", $"Read on with offset={first - 1}, and replay the records in between if they are still wanted.");
        return new Refusal(refusal.Problem with { FirstOffset = first });
    }
}
