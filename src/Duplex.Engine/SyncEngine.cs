using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Reconcile;
using Duplex.Engine.State;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine;

/// <summary>What an engine runs on. Store, log and budget are disposed by whoever made them, after the engine.</summary>
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
}

/// <summary>
/// Runs every source and leg of a model. Start once, stop once. Public members may be called from any thread while it runs.
/// Counters are published on the meter <c>Duplex</c>.
/// </summary>
public sealed class SyncEngine(EngineParts parts) : IAsyncDisposable
{
    /// <summary>
    /// Starts every connection and sync in the background and returns. A connection or sync that cannot start shows its error in
    /// <see cref="StatusAsync"/> and keeps the others running.
    /// </summary>
    public Task StartAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Stops reading, lets writes in flight end (for a few seconds at most), records their outcomes, and returns.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The state of everything. Cheap; counts may be a second old.</summary>
    public ValueTask<EngineStatus> StatusAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Pauses a sync (both legs). Survives restarts. False if there is no such sync.</summary>
    public ValueTask<bool> PauseAsync(string sync, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Resumes a paused or blocked sync; releases a brake. False if there is no such sync.</summary>
    public ValueTask<bool> ResumeAsync(string sync, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Both sides of a record, its link and timeline. Null if there is no such sync.</summary>
    public ValueTask<RecordView?> ViewAsync(string sync, Side side, RecordKey key, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Replays dead letters: each is decided anew against the present state, so that nothing younger is overwritten.
    /// Returns how many were taken up.</summary>
    public ValueTask<int> ReplayAsync(IReadOnlyList<long> deadLetterIds, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>What a sync would do. Works while it runs and while it does not. Null if there is no such sync.</summary>
    public Task<PlanReport?> PlanAsync(string sync, IProgress<Progress>? progress, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Restarts a connection's capture with a fresh snapshot, after a gap or on demand. False if there is no such connection.</summary>
    public ValueTask<bool> ResnapshotAsync(string tenant, string connection, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>
    /// Takes a webhook: checks it, appends it, and returns when it is on disk. Status 200; 400 or 401 refused; 404 no such connection or
    /// it takes no webhooks; 503 the log does not take appends at the moment or too many deliveries wait (with a reason).
    /// </summary>
    public ValueTask<(int Status, string? Reason)> ReceiveWebhookAsync(
        string tenant, string connection, WebhookDelivery delivery, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>The parts it runs on.</summary>
    public EngineParts Parts { get; } = parts;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
