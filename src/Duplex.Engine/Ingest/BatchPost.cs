using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>What became of one event of several.</summary>
/// <param name="Table">Where it is stored; null if it is not.</param>
/// <param name="Refusal">Why it is not stored; null if it is.</param>
public readonly record struct ItemOutcome(string? Table, IngestRefusal? Refusal);

/// <summary>What became of a body of several events.</summary>
/// <param name="Items">What became of each, in order, up to where reading stopped.</param>
/// <param name="Stopped">Why reading stopped before the end; null if every event was dealt with.</param>
public sealed record BatchOutcome(IReadOnlyList<ItemOutcome> Items, IngestRefusal? Stopped);

/// <summary>
/// Takes one body of several events: reads it while it comes, a chunk at a time, and commits each chunk at once. An event
/// that is refused keeps no other from being stored.
/// </summary>
public sealed class BatchPost
{
    /// <summary>The most events of one body.</summary>
    public const int ItemsMax = 10_000;

    /// <summary>The largest body, in bytes.</summary>
    public const long BytesMax = 64L << 20;

    private const int ChunkItemsMax = 1_000;
    private const int ChunkBytesMax = 2 << 20;

    private readonly IngestDoor _door;
    private readonly DeliveryNote _note;
    private readonly bool _areCloudEvents;
    private readonly List<ItemOutcome> _items = [];
    private readonly List<int> _chunk = [];
    private readonly HashSet<TableRoute> _closed = [];
    private IngestRefusal? _stopped;

    private BatchPost(IngestDoor door, in DeliveryNote note, bool areCloudEvents) =>
        (_door, _note, _areCloudEvents) = (door, note, areCloudEvents);

    /// <summary>Takes a body. What it throws, reading the body threw; what was told of no outcome may be stored
    /// then.</summary>
    public static async Task<BatchOutcome> RunAsync(
        IngestDoor door, Stream body, BatchForm form, bool areCloudEvents, DeliveryNote note,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(door);
        ArgumentNullException.ThrowIfNull(body);
        var held = Math.Min(ChunkBytesMax + (2L * door.Model.BodyBytesMax), door.Model.InFlightBytesMax);
        if (!door.TryEnter(held))
        {
            return new BatchOutcome([], IngestRefusal.Busy);
        }

        try
        {
            var post = new BatchPost(door, note, areCloudEvents);
            using var items = new PostedItems(body, form, door.Model.BodyBytesMax, BytesMax);
            await post.ReadAsync(items, cancellationToken);
            door.Counters.Refuse(post._items.Count(static i => i.Refusal is not null));
            return new BatchOutcome(post._items, post._stopped);
        }
        finally
        {
            door.Leave(held);
        }
    }

    private async Task ReadAsync(PostedItems items, CancellationToken cancellationToken)
    {
        using var batch = new ChangeBatch(64 * 1024);
        while (_stopped is null && await items.NextAsync(cancellationToken))
        {
            if (_items.Count == ItemsMax)
            {
                _stopped = new IngestRefusal(IngestVerdict.TooLarge, "ingest.too_many",
                    $"A body may have up to {ItemsMax} events.");
                break;
            }

            // Not before there is another event: the last one of the body goes with the mark that it is the last.
            if (_chunk.Count >= ChunkItemsMax || batch.Bytes >= ChunkBytesMax)
            {
                await CommitAsync(batch);
                if (_stopped is not null)
                {
                    return;
                }
            }

            Add(items, batch);
        }

        _stopped ??= items.Malformed is { } malformed ? IngestRefusal.Malformed(malformed)
            : items.IsBodyTooLarge ? new IngestRefusal(IngestVerdict.TooLarge, "ingest.too_large",
                $"A body of several events may have up to {BytesMax} bytes.") : null;
        if (_stopped is null && batch.Count > 0 && batch.Id(batch.Count - 1) is { } last && _note.IdempotencyKey is not null)
        {
            // A body that goes on where this one ends is another one.
            batch.Identify(batch.Count - 1, $"{last}.");
        }

        await CommitAsync(batch);
    }

    private void Add(PostedItems items, ChangeBatch batch)
    {
        var note = _note.IdempotencyKey is { } key
            ? (_note with { IdempotencyKey = $"{key}/{_items.Count}" }).Over(items.Current.Span) : _note;
        TableRoute? route = null;
        var refusal = items.IsTooLarge ? IngestRefusal.TooLarge(_door.Model.BodyBytesMax)
            : _areCloudEvents ? CloudEvents.Check(_door, items.Current, note, batch, out route)
            : _door.Check(items.Current, note, batch, out route);
        if (refusal is { Code: IngestRefusal.MalformedCode } && items.IsArray)
        {
            // What is no JSON within an array makes the array none.
            _stopped = refusal;
            return;
        }

        if (refusal is null)
        {
            _chunk.Add(_items.Count);
            if (!route!.IsOpen)
            {
                _closed.Add(route);
            }
        }

        _items.Add(new ItemOutcome(route?.Table, refusal));
    }

    private async Task CommitAsync(ChangeBatch batch)
    {
        if (_chunk.Count == 0)
        {
            return;
        }

        IngestRefusal? refusal = null;
        foreach (var route in _closed)
        {
            refusal ??= await _door.OpenAsync(route);
        }

        int? conflict = null;
        if (refusal is null)
        {
            (refusal, conflict) = await _door.TryAppendAsync(batch);
        }

        if (conflict is { } index)
        {
            Refuse(Enumerable.Range(0, _chunk.Count), IngestRefusal.KeyReused(_chunk[index]));
        }
        else if (refusal is { Verdict: IngestVerdict.NoRoom } && _closed.All(static r => r.IsOpen))
        {
            // One topic without room must not keep the others' events out.
            await CommitEachTopicAsync(batch);
        }
        else if (refusal is not null)
        {
            Refuse(Enumerable.Range(0, _chunk.Count), refusal);
        }

        _closed.Clear();
        _chunk.Clear();
        batch.Clear();
    }

    private async Task CommitEachTopicAsync(ChangeBatch batch)
    {
        foreach (var topic in Enumerable.Range(0, batch.Count).GroupBy(batch.Stream, StringComparer.Ordinal))
        {
            using var part = new ChangeBatch(64 * 1024);
            foreach (var index in topic)
            {
                part.Add(topic.Key, RecordKey.FromUtf8(batch.Key(index)), batch.Value(index), batch.Id(index));
            }

            var (refusal, conflict) = await _door.TryAppendAsync(part);
            if (conflict is { } place)
            {
                refusal = IngestRefusal.KeyReused(_chunk[topic.ElementAt(place)]);
            }

            if (refusal is not null)
            {
                Refuse(topic, refusal);
            }
        }
    }

    private void Refuse(IEnumerable<int> entries, IngestRefusal refusal)
    {
        foreach (var entry in entries)
        {
            _items[_chunk[entry]] = new ItemOutcome(null, refusal);
        }

        _stopped ??= refusal;
    }
}
