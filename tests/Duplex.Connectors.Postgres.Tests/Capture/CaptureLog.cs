using System.Text.Json.Nodes;
using Duplex.Connectors.Postgres.Capture;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Tests.Capture;

/// <summary>
/// What an engine's log would hold: appends batches with their positions, confirms them, and can be cut off at any
/// batch. A batch counts as durable once it is appended.
/// </summary>
internal sealed class CaptureLog
{
    private readonly Lock _gate = new();
    private readonly List<Change> _changes = [];
    private Position? _position;

    /// <summary>A batch that this refuses ends the reading, as a kill before the append does.</summary>
    public Func<ChangeBatch, bool> Accepts { get; set; } = static _ => true;

    /// <summary>Whether durable positions are confirmed to the source.</summary>
    public bool Confirms { get; set; } = true;

    public Position? Position
    {
        get
        {
            lock (_gate)
            {
                return _position;
            }
        }
        set => _position = value;
    }

    public int Batches { get; private set; }

    public int BytesMax { get; private set; }

    public IReadOnlyList<Change> Changes
    {
        get
        {
            lock (_gate)
            {
                return [.. _changes];
            }
        }
    }

    /// <summary>Reads from the durable position in the background.</summary>
    public CaptureReading Read(IRecordSource source) => new(this, source);

    /// <summary>The records that the log's changes add up to, by key; fields that an update did not tell are
    /// kept.</summary>
    public SortedDictionary<string, string> Fold(string stream)
    {
        var records = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var change in Changes.Where(c => c.Stream == stream))
        {
            Apply(records, change);
        }

        return new SortedDictionary<string, string>(
            records.ToDictionary(static r => r.Key, static r => r.Value.ToJsonString()), StringComparer.Ordinal);
    }

    internal bool Append(ChangeBatch batch)
    {
        if (!Accepts(batch))
        {
            return false;
        }

        lock (_gate)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                _changes.Add(ChangeEnvelope.Parse(RecordKey.FromUtf8(batch.Key(i)), batch.Value(i).ToArray()));
                batch.Stream(i).ShouldBe(_changes[^1].Stream);
            }

            if (batch.Position is { } position)
            {
                if (_position is { } last)
                {
                    position.IsAtOrAfter(last).ShouldBeTrue($"{position} follows {last}");
                }

                _position = position;
            }

            Batches++;
            BytesMax = Math.Max(BytesMax, batch.Bytes);
            return true;
        }
    }

    private static void Apply(SortedDictionary<string, JsonObject> records, Change change)
    {
        var key = change.Key.Json;
        var previous = change.PreviousKey.IsEmpty ? key : change.PreviousKey.Json;
        records.TryGetValue(previous, out var known);
        switch (change.Operation)
        {
            case ChangeOperation.Truncate:
                records.Clear();
                break;
            case ChangeOperation.Delete:
                records.Remove(key);
                break;
            default:
                var after = (JsonObject)JsonNode.Parse(change.After!.ToString())!;
                foreach (var name in change.Unchanged.Where(n => known?.ContainsKey(n) == true))
                {
                    after[name] = known![name]?.DeepClone();
                }

                records.Remove(previous);
                records[key] = Sorted(after);
                break;
        }
    }

    private static JsonObject Sorted(JsonObject value) =>
        new(value.OrderBy(static m => m.Key, StringComparer.Ordinal)
            .Select(static m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
}

/// <summary>One reading of a source into a log, until it is stopped or fails.</summary>
internal sealed class CaptureReading : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CaptureLog _log;
    private readonly IRecordSource _source;

    public CaptureReading(CaptureLog log, IRecordSource source)
    {
        _log = log;
        _source = source;
        Ended = Task.Run(ReadAsync);
    }

    /// <summary>Completes when the reading ends: by a stop, a refused batch, or the failure that it holds.</summary>
    public Task<SyncError?> Ended { get; }

    /// <summary>Waits for a condition on the log; a failure of the source fails the wait.</summary>
    public Task UntilAsync(Func<CaptureLog, bool> condition) => Eventually.HoldsAsync(
        () => condition(_log) || (Ended.IsCompleted && Fail()),
        () => $"Changes: {string.Join(" ", _log.Changes.TakeLast(20).Select(static c => $"{c.Operation}{c.Key}"))}; {_source.State}");

    /// <summary>Waits until everything that was committed before the call is in the log.</summary>
    public async Task CaughtUpAsync(CaptureShop shop)
    {
        var lsn = Lsn.Parse(
            (string)(await shop.RunAsync("SELECT pg_current_wal_insert_lsn()::text"))!);
        await UntilAsync(log => log.Position is { } position && position.Major >= lsn
            && CaptureToken.Read(position.Token) is { SnapshotPending: false });
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Ended;
        await _source.DisposeAsync();
    }

    private bool Fail() => throw new ShouldAssertException($"The reading ended: {Ended.Result} {Ended.Result?.Detail}");

    private async Task<SyncError?> ReadAsync()
    {
        try
        {
            await foreach (var batch in _source.ReadAsync(_log.Position, _stop.Token))
            {
                using (batch)
                {
                    if (!_log.Append(batch))
                    {
                        return null;
                    }

                    if (_log.Confirms && batch.Position is { } position)
                    {
                        await _source.ConfirmAsync(position, _stop.Token);
                    }
                }
            }

            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (SyncException e)
        {
            return e.Error;
        }
    }
}
