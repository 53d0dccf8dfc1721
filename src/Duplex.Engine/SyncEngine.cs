using System.Text.Json;
using Duplex.Engine.Capture;
using Duplex.Engine.Config;
using Duplex.Engine.Connections;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Feeds;
using Duplex.Engine.Ingest;
using Duplex.Engine.Log;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.Push;
using Duplex.Engine.Reconcile;
using Duplex.Engine.Registry;
using Duplex.Engine.Routing;
using Duplex.Engine.Secrets;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine;

/// <summary>What an engine runs on. Store, log and budget are disposed by whoever made them, after the
/// engine.</summary>
public sealed record EngineParts(
    EngineModel Model,
    IChangeLog Log,
    IStateStore Store,
    IRateBudget Budget,
    TimeProvider Clock,
    ILoggerFactory Loggers)
{
    /// <summary>Makes the HTTP handler for a connector's outgoing requests; null for the default.</summary>
    public Func<HttpMessageHandler>? HttpHandler { get; init; }

    /// <summary>The feeds; null where nothing is stored for customers. Disposed by whoever made it, after the
    /// engine.</summary>
    public IFeedStore? Feeds { get; init; }

    /// <summary>Makes what takes feeds to topics; null where there is nothing that does.</summary>
    public Func<PushModel, IPushTransport>? PushTopics { get; init; }

    /// <summary>Keeps the secrets of what is set at run time; null where nothing that needs one can be.</summary>
    public ISecretStore? Secrets { get; init; }

    /// <summary>What a connector is given for one of the model's connections.</summary>
    public ConnectorContext ContextOf(ConnectionModel connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return new ConnectorContext
        {
            Tenant = connection.Tenant,
            Connection = connection.Name,
            Installation = Store.Installation,
            Settings = connection.Settings,
            Budget = Budget,
            Clock = Clock,
            Loggers = Loggers,
            HttpHandler = HttpHandler,
        };
    }
}

/// <summary>
/// Runs every source and leg of a model. Start once, stop once. Public members may be called from any thread while it
/// runs. Counters are published on the meter <c>Duplex</c>.
/// </summary>
public sealed class SyncEngine : IAsyncDisposable
{
    private const string Owner = "engine";
    private static readonly TimeSpan RetentionEvery = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, CaptureLoop> _captures = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SyncRuntime> _syncs = new(StringComparer.Ordinal);
    private readonly List<Task> _running = [];
    private readonly StatusReader _status;
    private readonly RecordViews _views;
    private readonly ReplayableLegs _replayable;
    private long _epoch;

    /// <summary>Prepares an engine; opens nothing yet.</summary>
    public SyncEngine(EngineParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        Parts = parts;
        foreach (var connection in parts.Model.Connections.Values)
        {
            var uses = StreamUses.Of(parts.Model, connection);
            var runtime = new ConnectionRuntime(connection, parts, [.. uses.Select(static u => u.Stream)]);
            _captures[runtime.Id] = new CaptureLoop(runtime, uses, parts);
        }

        foreach (var model in parts.Model.Syncs.Values)
        {
            _syncs[model.FullName] = new SyncRuntime(model, CaptureOf(model.A), CaptureOf(model.B), parts);
        }

        Customers = new Customers(parts, CommitAsync);
        _status = new StatusReader(parts, _captures.Values, _syncs.Values, Customers, parts.Clock.GetUtcNow());
        Ingest = parts.Model.Ingest is { } ingest ? new IngestDoor(ingest, parts.Model.Retention, parts.Log) : null;
        Registry = new CustomerRegistry(parts, Customers, Ingest, CommitAsync);
        _views = new RecordViews(parts);
        _replayable = new ReplayableLegs(_syncs, Customers, parts.Clock);
    }

    /// <summary>The parts it runs on.</summary>
    public EngineParts Parts { get; }

    /// <summary>The customers of posted tables.</summary>
    public Customers Customers { get; }

    /// <summary>Where changes are posted; null when none are taken.</summary>
    public IngestDoor? Ingest { get; }

    /// <summary>Customers, mappings and schemas as data that is managed while the engine runs.</summary>
    public CustomerRegistry Registry { get; }

    /// <summary>
    /// Starts every connection and sync in the background and returns. A connection or sync that cannot start shows its
    /// error in <see cref="StatusAsync"/> and keeps the others running.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _epoch = await Parts.Store.AcquireAsync(Owner, cancellationToken);
        var retention = Parts.Model.Retention;
        foreach (var capture in _captures.Values)
        {
            // A record whose key changes, and a truncate, are in order with what came before only within one partition.
            var partitions = capture.Connection.Capabilities.OrderedStream ? 1 : Parts.Model.Log.Partitions ?? 1;
            foreach (var stream in capture.Connection.Streams)
            {
                await Parts.Log.EnsureTopicAsync(
                    new TopicSpec(capture.Connection.TopicOf(stream), partitions, retention.LogAge, retention.LogBytes), cancellationToken);
            }
        }

        if (Ingest is not null)
        {
            await Ingest.OpenAsync(cancellationToken);
        }

        foreach (var sync in _syncs.Values)
        {
            var paused = await Parts.Store.ReadValueAsync(PauseMark(sync), cancellationToken) is not null;
            foreach (var view in sync.Views)
            {
                view.Pause(paused);
            }
        }

        _running.AddRange(
            _captures.Values.Select(c => Task.Run(() => c.RunAsync(_stop.Token), CancellationToken.None)));
        _running.AddRange(_syncs.Values.Select(s => Task.Run(() => s.RunAsync(_stop.Token), CancellationToken.None)));
        await Registry.LoadAsync(cancellationToken);
        _running.AddRange(await Customers.StartAsync(_stop.Token, cancellationToken));
        _running.Add(Task.Run(() => KeepHouseAsync(_stop.Token), CancellationToken.None));
    }

    /// <summary>Stops reading, lets writes in flight end (for a few seconds at most), records their outcomes, and
    /// returns.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(cancellationToken);
    }

    /// <summary>The state of everything. Cheap; counts may be a second old.</summary>
    public ValueTask<EngineStatus> StatusAsync(CancellationToken cancellationToken) =>
        _status.ReadAsync(cancellationToken);

    /// <summary>Pauses a sync (both legs). Survives restarts. False if there is no such sync.</summary>
    public async ValueTask<bool> PauseAsync(string sync, CancellationToken cancellationToken)
    {
        if (!_syncs.TryGetValue(sync, out var runtime))
        {
            return false;
        }

        await PutAsync(PauseMark(runtime), "paused", cancellationToken);
        foreach (var view in runtime.Views)
        {
            view.Pause(true);
        }

        return true;
    }

    /// <summary>Resumes a paused or blocked sync; releases a brake. False if there is no such sync.</summary>
    public async ValueTask<bool> ResumeAsync(string sync, CancellationToken cancellationToken)
    {
        if (!_syncs.TryGetValue(sync, out var runtime))
        {
            return false;
        }

        await PutAsync(PauseMark(runtime), null, cancellationToken);
        var partitions = await Parts.Log.DescribeAsync(cancellationToken);
        foreach (var view in runtime.Views)
        {
            var blocked = view.State == RunState.Blocked || view.Error is not null;
            if (blocked)
            {
                var topics = view.Trackers.Select(static t => t.Topic).ToHashSet(StringComparer.Ordinal);
                view.Brake.Release(partitions.Where(p => topics.Contains(p.Topic)).Select(static p => p.NextOffset)
                    .DefaultIfEmpty().Max());
                view.Resumed.Ring();
            }

            view.Pause(false);
        }

        return true;
    }

    /// <summary>Both sides of a record, its link and timeline. Null if there is no such sync.</summary>
    public async ValueTask<RecordView?> ViewAsync(string sync, Side side, RecordKey key,
        CancellationToken cancellationToken) =>
        _syncs.TryGetValue(sync, out var runtime)
            ? await _views.ReadAsync(await ContextAsync(runtime, null, cancellationToken), side, key, cancellationToken)
            : null;

    /// <summary>Replays dead letters: each is decided anew against the present state, so that nothing younger is
    /// overwritten. Waits for legs that are starting. Returns how many were taken up: what is missing was refused again, or is
    /// gone.</summary>
    /// <exception cref="RegistryException">A leg of one of them does not run; none was replayed.</exception>
    public async ValueTask<int> ReplayAsync(IReadOnlyList<long> deadLetterIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(deadLetterIds);
        var letters = new List<DeadLetter>();
        foreach (var id in deadLetterIds)
        {
            if (await Parts.Store.FindDeadLetterAsync(id, cancellationToken) is { } found)
            {
                letters.Add(found);
            }
        }

        foreach (var leg in letters.Select(static l => l.Leg).Distinct())
        {
            await _replayable.RequireAsync(leg, cancellationToken);
        }

        var taken = 0;
        foreach (var letter in letters)
        {
            if (await Customers.ReplayAsync(letter, cancellationToken) is { } cameThrough)
            {
                taken += cameThrough ? 1 : 0;
            }
            else if (_syncs.TryGetValue(letter.Leg.Sync, out var runtime)
                && runtime.Context?.Legs[(int)letter.Leg.From] is { } leg)
            {
                await Replays.TakeUpAsync(runtime.Context, leg, letter);
                taken++;
            }
            else
            {
                throw ReplayableLegs.Stopped(letter.Leg, null);
            }
        }

        return taken;
    }

    /// <summary>
    /// Decides a conflict that waits: the winner's value stands, or the given one, in the winner's form. Returns when the
    /// decision is durable; the writes follow as those of any other change. False if there is no such conflict.
    /// </summary>
    /// <exception cref="SyncException">Nothing was decided: it waits no longer, its sync does not run, its record is gone
    /// or cannot be read, or the value has no form on the other side.</exception>
    public async ValueTask<bool> ResolveAsync(
        long conflictId, Side winner, JsonElement? given, CancellationToken cancellationToken)
    {
        if (await Parts.Store.FindConflictAsync(conflictId, cancellationToken) is not { } conflict
            || !_syncs.TryGetValue(conflict.Sync, out var runtime))
        {
            return false;
        }

        if (conflict.Winner is not null)
        {
            throw Settlements.NotWaiting(conflictId);
        }

        var context = await ContextAsync(runtime, null, cancellationToken);
        await Settlements.TakeUpAsync(context, conflict,
            new Settlement(winner, given is { } value ? FieldValue.Of(value) : null), cancellationToken);
        return true;
    }

    /// <summary>What a sync would do. Works while it runs and while it does not. Null if there is no such
    /// sync.</summary>
    public async Task<PlanReport?> PlanAsync(string sync, IProgress<Progress>? progress,
        CancellationToken cancellationToken)
    {
        if (!_syncs.TryGetValue(sync, out var runtime))
        {
            return null;
        }

        var findings = new List<Finding>();
        foreach (var connection in new[] { CaptureOf(runtime.Model.A), CaptureOf(runtime.Model.B) }.Distinct())
        {
            findings.AddRange(await connection.CheckOnlyAsync(cancellationToken));
        }

        if (findings.Exists(static f => f.Severity == FindingSeverity.Error))
        {
            return Planner.NotPossible(sync, findings);
        }

        var context = await ContextAsync(runtime, findings, cancellationToken);
        return findings.Exists(static f => f.Severity == FindingSeverity.Error)
            ? Planner.NotPossible(sync, findings)
            : await new Planner(context, findings, progress).RunAsync(cancellationToken);
    }

    /// <summary>Restarts a connection's capture with a fresh snapshot, after a gap or on demand. False if there is no
    /// such connection.</summary>
    public async ValueTask<bool> ResnapshotAsync(string tenant, string connection, CancellationToken cancellationToken)
    {
        if (!_captures.TryGetValue($"{tenant}/{connection}", out var capture))
        {
            return false;
        }

        var readers = _syncs.Values.SelectMany(static s => s.Views, static (sync, view) => (Sync: sync, view.From))
            .Where(r => CaptureOf(r.Sync.Model.Of(r.From)) == capture).ToArray();
        return await capture.ResnapshotAsync(async () =>
        {
            foreach (var (sync, from) in readers)
            {
                await sync.AskForSweepAsync(() =>
                    PutAsync(Sweep.MarkOf(sync.Model.FullName, from), "asked", cancellationToken));
            }
        }, cancellationToken);
    }

    /// <summary>
    /// Takes a webhook: checks it, appends it, and returns when it is on disk. Status 200; 400 or 401 refused; 404 no
    /// such connection or it takes no webhooks; 503 the log does not take appends at the moment or too many deliveries
    /// wait (with a reason).
    /// </summary>
    public ValueTask<(int Status, string? Reason)> ReceiveWebhookAsync(
        string tenant, string connection, WebhookDelivery delivery, CancellationToken cancellationToken) =>
        _captures.TryGetValue($"{tenant}/{connection}", out var capture)
            ? capture.ReceiveAsync(delivery, cancellationToken)
            : ValueTask.FromResult<(int, string?)>((404, "There is no such connection."));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var capture in _captures.Values)
        {
            await capture.DisposeAsync();
            await capture.Connection.DisposeAsync();
        }

        _stop.Dispose();
    }

    private static string PauseMark(SyncRuntime sync) => $"paused:{sync.Model.FullName}";

    private CaptureLoop CaptureOf(SyncSideModel side) => _captures[$"{side.Connection.Tenant}/{side.Connection.Name}"];

    private async ValueTask<SyncContext> ContextAsync(
        SyncRuntime runtime, ICollection<Finding>? findings, CancellationToken cancellationToken) =>
        findings is null && runtime.Context is { } context
            ? context
            : await SyncRuntime.PrepareAsync(
                runtime.Model, CaptureOf(runtime.Model.A), CaptureOf(runtime.Model.B), Parts, findings,
                    cancellationToken);

    private Task PutAsync(string name, string? value, CancellationToken cancellationToken) =>
        CommitAsync([new StateMutation.PutValue(name, value)], cancellationToken);

    private async Task CommitAsync(IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken)
    {
        if (_epoch == 0)
        {
            _epoch = await Parts.Store.AcquireAsync(Owner, cancellationToken);
        }

        var commit = new StateCommit { Owner = Owner, Epoch = _epoch };
        commit.Mutations.AddRange(mutations);
        await Parts.Store.CommitAsync(commit, cancellationToken);
    }

    /// <summary>Applies retention every minute. A failure shows in the stores' own obstacle and is tried
    /// again.</summary>
    private async Task KeepHouseAsync(CancellationToken cancellationToken)
    {
        var retention = Parts.Model.Retention;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(RetentionEvery, Parts.Clock, cancellationToken);
                var now = Parts.Clock.NowMicros();
                await Parts.Log.ApplyRetentionAsync(cancellationToken);
                await (Parts.Feeds?.ApplyRetentionAsync(cancellationToken) ?? default);
                await Parts.Store.ApplyRetentionAsync(now - (long)retention.TimelineAge.TotalMicroseconds,
                    retention.TimelineRows,
                    now - (long)retention.TombstoneAge.TotalMicroseconds, cancellationToken);
            }
            catch (Exception e) when (e is SyncException or OperationCanceledException)
            {
                // Nothing is lost by keeping more for a minute longer.
            }
        }
    }
}
