using System.Runtime.CompilerServices;
using System.Text.Json;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Events;

/// <summary>
/// Reads the Events API from where the source has got to until now. Lists run from the newest event back, so a long
/// absence is read in windows from its oldest end, and memory holds one window. Events become visible out of order, so
/// each poll looks back over an overlap and passes over what it has seen.
/// </summary>
internal sealed class EventPoll(StripeClient client, EventReader reader, IReadOnlyList<string> streams,
    TimeSpan overlap)
{
    /// <summary>How long Stripe keeps events.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    private const int Attempts = 4;
    private const int WindowPagesMax = 10;
    private const int OverlapEventsMax = 2_000;
    private const long OverlapSecondsMin = 5;
    private static readonly long IdleSeconds = (long)TimeSpan.FromMinutes(10).TotalSeconds;

    private readonly long _overlap = (long)overlap.TotalSeconds;
    private readonly Dictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly string _types = string.Concat(
        streams.SelectMany(static s => StripeStream.Of(s).EventTypes)
            .Select(static (type, i) => $"&types[{i}]={type}"));

    private long _readUntil;
    private long _lookedBackTo;
    private long _width = (long)TimeSpan.FromHours(1).TotalSeconds;

    /// <summary>The latest <c>Date</c> that Stripe gave, in seconds since 1970 UTC.</summary>
    public long ServerSeconds { get; private set; }

    /// <summary>The earliest instant that the last answer can describe, in seconds since 1970 UTC; 0 or less when
    /// unknown.</summary>
    public long ServerSince { get; private set; }

    /// <summary>Asks for nothing but the time.</summary>
    public Task AskTimeAsync(CancellationToken cancellationToken) =>
        AskAsync($"/v1/events?limit=1{_types}", cancellationToken);

    /// <summary>Yields what happened since the progress, oldest first, and moves the progress.</summary>
    /// <exception cref="SyncException">Stripe cannot be asked, or no longer has the events that follow the
    /// progress.</exception>
    public async IAsyncEnumerable<ChangeBatch> ReadAsync(
        SourceProgress progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var started = ServerSeconds;
        var from = LookBack(progress);
        bool open;
        do
        {
            var span = ServerSeconds - from;
            open = _width >= span;
            var pagesMax = (open ? span : _width) > 1 ? WindowPagesMax : int.MaxValue;
            var window = await WindowAsync(from, open ? null : from + _width, pagesMax, cancellationToken);
            ThrowIfGone(progress);
            if (window is null)
            {
                _width = Math.Max(1, (open ? span : _width) / 2);
                open = false;
                continue;
            }

            var before = progress.Newest;
            if (!open)
            {
                from += _width;
                progress.Advance(from - 1);
                _width = window.Count <= 100 ? Math.Min(_width * 4, (long)Retention.TotalSeconds) : _width;
            }

            if (Batch(window, progress, before, open) is { } batch)
            {
                yield return batch;
            }

            Forget(from - _overlap - 1);
        }
        while (!open);
        _readUntil = started;
    }

    /// <summary>
    /// Where a poll begins: an overlap before what the last one read, and a shorter one where that would repeat very
    /// many events.
    /// </summary>
    private long LookBack(SourceProgress progress)
    {
        var read = Math.Max(progress.Newest, _readUntil);
        var from = read - _overlap;
        if (_seen.Count > OverlapEventsMax)
        {
            var repeated = 0;
            var busy = _seen.Values.GroupBy(static created => created).OrderByDescending(static second => second.Key)
                .SkipWhile(second => (repeated += second.Count()) <= OverlapEventsMax).First().Key;
            from = Math.Max(from, Math.Min(busy + 1, read - OverlapSecondsMin));
        }

        // What a poll passed over stays passed over: its events are forgotten and would be taken for others.
        _lookedBackTo = Math.Max(_lookedBackTo, Math.Max(progress.Floor, from));
        Forget(_lookedBackTo);
        return _lookedBackTo;
    }

    /// <summary>The events of a window, newest first; null when there are more pages than the most.</summary>
    private async Task<List<JsonElement>?> WindowAsync(
        long from, long? before, int pagesMax, CancellationToken cancellationToken)
    {
        var events = new List<JsonElement>();
        var query = $"/v1/events?limit=100{_types}&created[gte]={from}" + (before is { } b ? $"&created[lt]={b}" : "");
        for (var (page, after) = (0, ""); ; page++)
        {
            if (page == pagesMax)
            {
                return null;
            }

            var list = await AskAsync(query + after, cancellationToken);
            events.AddRange(list.Items);
            if (!list.HasMore)
            {
                return events;
            }

            after = $"&starting_after={list.LastId}";
        }
    }

    private ChangeBatch? Batch(List<JsonElement> events, SourceProgress progress, long before, bool open)
    {
        var batch = new ChangeBatch();
        for (var i = events.Count - 1; i >= 0; i--)
        {
            var created = events[i].GetProperty("created").GetInt64();
            if (!_seen.TryAdd(events[i].GetProperty("id").GetString()!, created))
            {
                continue;
            }

            progress.Advance(created);
            if (reader.Read(events[i]) is { } change)
            {
                reader.Add(batch, change);
            }
        }

        if (open && ServerSeconds - progress.Newest > IdleSeconds)
        {
            // A quiet account is not a gap: its position moves with the clock.
            progress.Advance(ServerSeconds - _overlap);
        }

        if (batch.Count == 0 && progress.Newest == before)
        {
            batch.Dispose();
            return null;
        }

        batch.Position = progress.Next();
        return batch;
    }

    private void Forget(long before)
    {
        foreach (var (id, created) in _seen)
        {
            if (created < before)
            {
                _seen.Remove(id);
            }
        }
    }

    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>: events after the progress are no longer
    /// kept.</exception>
    public void ThrowIfGone(SourceProgress progress)
    {
        if (ServerSeconds - progress.Newest > (long)Retention.TotalSeconds)
        {
            throw new SyncException(ErrorCode.SourceGap,
                "Stripe keeps events for 30 days, and the last one that was read is older: what happened in between is unknown.",
                "Run duplex resnapshot on the connection.");
        }
    }

    private async Task<ListPage> AskAsync(string path, CancellationToken cancellationToken)
    {
        var request = StripeRequest.Get("/v1/events", path);
        var reply = await client.ReadAsync(request, Attempts, cancellationToken);
        var page = ListPage.Of(request, reply);
        ServerSeconds = Math.Max(ServerSeconds, reply.ServerSeconds);
        ServerSince = reply.SinceMicros / 1_000_000;
        return page;
    }
}
