using System.Text.Json;
using Duplex.Engine.Capture;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Diagnostics;

/// <summary>Puts the engine's state together from what captures, legs and stores say. What was read is told again for ten
/// times as long as reading it took, a second at most, so that whoever asks all the time takes little of the machine.</summary>
internal sealed class StatusReader(
    EngineParts parts, IReadOnlyCollection<CaptureLoop> captures, IReadOnlyCollection<SyncRuntime> syncs,
        Customers customers, DateTimeOffset startedAt)
{
    private const int TimesToRest = 10;
    private static readonly TimeSpan FreshMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(60);

    private readonly Backlog _backlog = new(parts);
    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<LegId, (long Position, long Since)> _moves = [];
    private EngineStatus? _last;
    private long _lastAt;
    private TimeSpan _fresh;

    public async ValueTask<EngineStatus> ReadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_last is null || parts.Clock.GetElapsedTime(_lastAt) > _fresh)
            {
                var started = parts.Clock.GetTimestamp();
                _last = await BuildAsync(cancellationToken);
                _lastAt = parts.Clock.GetTimestamp();
                var rest = parts.Clock.GetElapsedTime(started, _lastAt) * TimesToRest;
                _fresh = rest < FreshMax ? rest : FreshMax;
            }

            return _last;
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<EngineStatus> BuildAsync(CancellationToken cancellationToken)
    {
        var storage = parts.Log.Obstacle ?? parts.Store.Obstacle ?? parts.Feeds?.Obstacle;
        var reasons = new List<string>();
        if (storage is not null)
        {
            reasons.Add(storage.Message);
        }

        var connections = captures.Select(static c => c.Status()).ToArray();
        reasons.AddRange(connections
            .Where(static c => StandsStill(c.State))
            .Select(static c => $"Connection {c.Tenant}/{c.Name} is {Word(c.State)}{Because(c.Error, Progress(c))}"));
        var partitions = await parts.Log.DescribeAsync(cancellationToken);
        var statuses = new List<SyncStatus>();
        foreach (var sync in syncs)
        {
            statuses.Add(await SyncAsync(sync, partitions, reasons, cancellationToken));
        }

        var fed = await customers.StatusAsync(partitions, cancellationToken);
        reasons.AddRange(fed.Where(static c => StandsStill(c.State))
            .Select(static c => $"Customer {c.Name} is {Word(c.State)}{Because(c.Error, null)}"));
        return new EngineStatus(reasons.Count == 0, reasons, startedAt, storage, connections, statuses) { Customers = fed };
    }

    private async Task<SyncStatus> SyncAsync(
        SyncRuntime sync, IReadOnlyList<PartitionState> partitions, List<string> reasons,
            CancellationToken cancellationToken)
    {
        var name = sync.Model.FullName;
        var legs = new List<LegStatus>();
        foreach (var view in sync.Views)
        {
            var leg = await LegAsync(sync, view, partitions, cancellationToken);
            legs.Add(leg);
            if (StandsStill(leg.State))
            {
                reasons.Add(
                    $"Leg {new LegId(name, view.From)} is {Word(leg.State)}{Because(leg.Error, Progress(leg, view))}");
            }
            else if (leg.State == RunState.Running
                && IsStuck(new LegId(name, view.From), view, leg.Behind) is { } seconds)
            {
                reasons.Add($"Leg {new LegId(name, view.From)} has {leg.Behind} changes before it and has not moved for {seconds} s.");
            }
        }

        return new SyncStatus(sync.Model.Tenant, sync.Model.Name, name, Worst(legs),
            await parts.Store.CountLinksAsync(name, LinkState.Live, cancellationToken),
            await parts.Store.CountConflictsAsync(name, cancellationToken), legs);
    }

    private async Task<LegStatus> LegAsync(
        SyncRuntime sync, LegView view, IReadOnlyList<PartitionState> partitions, CancellationToken cancellationToken)
    {
        var id = new LegId(sync.Model.FullName, view.From);
        var nowMicros = parts.Clock.NowMicros();
        var (pending, since) = await parts.Store.CountPendingAsync(id, cancellationToken);
        var (behind, oldest) = await _backlog.ReadAsync(sync, view, partitions, cancellationToken);
        var state = view.State;
        var error = view.Error;
        if (state is RunState.Running or RunState.FirstSync && sync.Context?.Connection(view.From.Other()).Lane.Obstacle is { } obstacle
            && sync.Model.Flows(view.From))
        {
            state = obstacle.Code == ErrorCode.SinkUnauthorized ? RunState.Blocked : RunState.Retrying;
            error = obstacle;
        }

        var counters = view.Counters;
        return new LegStatus(view.From.Letter(), state, behind, Seconds(oldest, nowMicros), pending,
            Seconds(since, nowMicros),
            await parts.Store.CountDeadLettersAsync(id, cancellationToken),
            counters[LegCounters.Outcome.Seen], counters[LegCounters.Outcome.Written],
            counters[LegCounters.Outcome.Agreed],
            counters[LegCounters.Outcome.Echo], counters[LegCounters.Outcome.Failed], error);
    }

    /// <summary>How long a running leg that has work has stood still, in seconds; null while it moves.</summary>
    private long? IsStuck(LegId leg, LegView view, long behind)
    {
        var position = view.Trackers.Sum(static t => t.Position) + view.Counters[LegCounters.Outcome.Failed];
        var now = parts.Clock.GetTimestamp();
        if (behind == 0 || !_moves.TryGetValue(leg, out var last) || last.Position != position)
        {
            _moves[leg] = (position, now);
            return null;
        }

        var still = parts.Clock.GetElapsedTime(last.Since, now);
        return still > StuckAfter ? (long)still.TotalSeconds : null;
    }

    private static double Seconds(long sinceMicros, long nowMicros) =>
        sinceMicros == 0 ? 0 : Math.Max(0, (nowMicros - sinceMicros) / 1e6);

    private static RunState Worst(List<LegStatus> legs)
    {
        RunState[] order =
            [RunState.Blocked, RunState.Retrying, RunState.Paused, RunState.Stopped, RunState.Starting,
                RunState.FirstSync];
        return order.FirstOrDefault(s => legs.Exists(l => l.State == s), RunState.Running);
    }

    /// <summary>Whether changes do not pass as they happen. While existing records are read and paired, they
    /// wait behind them.</summary>
    private static bool StandsStill(RunState state) =>
        state is RunState.Starting or RunState.FirstSync or RunState.Retrying or RunState.Blocked or RunState.Stopped;

    private static string? Progress(ConnectionStatus connection) =>
        connection is { State: RunState.FirstSync, Source: { } source }
            ? source.SnapshotRowsExpected > 0
                ? $"{source.SnapshotRows} of about {source.SnapshotRowsExpected} records are read."
                : $"{source.SnapshotRows} records are read."
            : null;

    private static string? Progress(LegStatus leg, LegView view) =>
        leg.State != RunState.FirstSync ? null
        : view.FirstPassLeft is > 0 and var left ? $"{left} existing records are still to pass."
        : "Existing records are indexed on both sides.";

    private static string Word(RunState state) => JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());

    private static string Because(SyncError? error, string? progress) =>
        (error?.Message ?? progress) is { } reason ? $": {reason}" : ".";
}
