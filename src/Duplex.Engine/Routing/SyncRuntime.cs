using Duplex.Engine.Capture;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Mapping;
using Duplex.Engine.Reconcile;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Routing;

/// <summary>
/// One sync at run time: reads both schemas, checks the mapping, indexes existing records at first sync, then runs its
/// legs, each with its own life: one that fails or is stopped does not stop the other.
/// </summary>
internal sealed partial class SyncRuntime
{
    private static readonly TimeSpan RecheckEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly EngineParts _parts;
    private readonly CaptureLoop _a;
    private readonly CaptureLoop _b;
    private readonly ILogger _logger;
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30), 41);
    private readonly Bell _sweep = new();
    private readonly SemaphoreSlim _marks = new(1);
    private volatile SyncContext? _context;
    private long _sweepsAsked;

    public SyncRuntime(SyncModel model, CaptureLoop a, CaptureLoop b, EngineParts parts)
    {
        Model = model;
        _parts = parts;
        _a = a;
        _b = b;
        _logger = parts.Loggers.CreateLogger($"Duplex.Sync.{model.Name}");
        Views = [.. SidesThatRun(model).Select(s =>
            new LegView(model.FullName, s, new DeleteBrake(model.DeleteBrake, parts.Clock)))];
    }

    public SyncModel Model { get; }

    /// <summary>The legs, as seen from outside.</summary>
    public IReadOnlyList<LegView> Views { get; }

    /// <summary>What the legs share; null before schemas and mapping are known.</summary>
    public SyncContext? Context => _context;

    /// <summary>The topic that the leg of the side reads.</summary>
    public string TopicOf(Side from) =>
        (from == Side.A ? _a : _b).Connection.TopicOf(Model.Of(from).Stream);

    /// <summary>
    /// The sides that the sync reads: those that flow, and the other one too where records are paired, for its index,
    /// images and deletes.
    /// </summary>
    public static IEnumerable<Side> SidesThatRun(SyncModel model) =>
        ((Side[])[Side.A, Side.B]).Where(s => model.Flows(s) || model.Match.Count > 0);

    /// <summary>Reads both schemas and compiles the mapping.</summary>
    /// <exception cref="SyncException">A side cannot be described, or the mapping has errors.</exception>
    public static async Task<SyncContext> PrepareAsync(
        SyncModel model, CaptureLoop a, CaptureLoop b, EngineParts parts, ICollection<Finding>? findings,
        CancellationToken cancellationToken)
    {
        var schemaA = await DescribeAsync(a, model.A.Stream, cancellationToken);
        var schemaB = await DescribeAsync(b, model.B.Stream, cancellationToken);
        var mapping = MappingCompiler.Compile(model, schemaA, schemaB);
        foreach (var finding in mapping.Findings)
        {
            findings?.Add(finding);
        }

        var errors = mapping.Findings.Where(static f => f.Severity == FindingSeverity.Error).ToArray();
        if (errors.Length > 0 && findings is null)
        {
            throw new SyncException(new SyncError(ErrorCode.ConfigInvalid,
                string.Join(" ", errors.Select(static f => $"{f.Path}: {f.Message}")), Path: errors[0].Path,
                Suggestion: string.Join(" ", errors.Select(static f => f.Suggestion)
                    .Where(static s => s is not null))));
        }

        return new SyncContext(model, mapping, a.Connection, b.Connection, parts);
    }

    /// <summary>Asks for a sweep once the snapshot that is asked for is complete.</summary>
    /// <param name="putMark">Makes the mark durable that says so (<see cref="Sweep.MarkOf"/>).</param>
    public async Task AskForSweepAsync(Func<Task> putMark)
    {
        await _marks.WaitAsync();
        try
        {
            _sweepsAsked++;
            await putMark();
        }
        finally
        {
            _marks.Release();
        }

        _sweep.Ring();
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            try
            {
                SetAll(RunState.Starting);
                var context = await PrepareAsync(Model, _a, _b, _parts, null, cancellationToken);
                _context = context;
                await IndexAsync(context, cancellationToken);
                foreach (var view in Views)
                {
                    await LegRunner.DoubtCreatesAsync(context, view.From, cancellationToken);
                }

                await Task.WhenAll([.. Views.Select(v => SuperviseAsync(context, v, cancellationToken)),
                    SweepWhenAskedAsync(context, cancellationToken)]);
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                await PauseAsync(e, failures, cancellationToken);
            }
        }
    }

    private static Task<StreamSchema> DescribeAsync(CaptureLoop capture, string stream,
        CancellationToken cancellationToken) =>
        capture.Connection.Model.Connector.DescribeAsync(capture.Connection.Context, stream, cancellationToken);

    private async Task IndexAsync(SyncContext context, CancellationToken cancellationToken)
    {
        if (!context.Match.Any)
        {
            return;
        }

        SetAll(RunState.FirstSync);
        await Task.WhenAll(
            new Indexer(context, Side.A, _parts.Log, _a).RunAsync(cancellationToken),
            new Indexer(context, Side.B, _parts.Log, _b).RunAsync(cancellationToken));
    }

    private async Task SuperviseAsync(SyncContext context, LegView view, CancellationToken cancellationToken)
    {
        for (var failures = 1; !cancellationToken.IsCancellationRequested; failures++)
        {
            var started = _parts.Clock.GetTimestamp();
            try
            {
                await new LegRunner(context, view.From, _parts.Log, view).RunAsync(cancellationToken);
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failures = _parts.Clock.GetElapsedTime(started) > TimeSpan.FromSeconds(30) ? 1 : failures;
                await RestAsync(view, FailurePolicy.ErrorOf(e, "The leg"), failures, cancellationToken);
            }
        }
    }

    private async Task RestAsync(LegView view, SyncError error, int failures, CancellationToken cancellationToken)
    {
        LogLegStopped(_logger, view.From.Letter(), error, error.Suggestion ?? "unknown");
        try
        {
            if (FailurePolicy.For(error.Code) == FailureAction.BlockLeg)
            {
                view.Resumed.Silence();
                view.Set(RunState.Blocked, error);
                await view.Resumed.WaitAsync(Timeout.InfiniteTimeSpan, _parts.Clock, cancellationToken);
                return;
            }

            var wait = _backoff.After(failures);
            view.Set(RunState.Retrying, error, _parts.Clock.GetUtcNow() + wait);
            await Task.Delay(wait, _parts.Clock, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The supervising loop ends by its condition.
        }
    }

    private async Task SweepWhenAskedAsync(SyncContext context, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var waits = false;
            var asked = Volatile.Read(ref _sweepsAsked);
            foreach (var view in Views)
            {
                if (await context.Store.ReadValueAsync(Sweep.MarkOf(context.Name, view.From), cancellationToken) is null)
                {
                    continue;
                }

                var capture = view.From == Side.A ? _a : _b;
                if (!capture.SnapshotComplete || context.Legs[(int)view.From] is not { } leg)
                {
                    waits = true;
                    continue;
                }

                var gone = await new Sweep(context, view.From).RunAsync(leg, cancellationToken);
                LogSwept(_logger, view.From.Letter(), gone);
                waits |= !await EndSweepAsync(leg, asked, cancellationToken);
            }

            await _sweep.WaitAsync(waits ? SweepEvery : Timeout.InfiniteTimeSpan, _parts.Clock, cancellationToken);
        }
    }

    /// <summary>Takes the mark away; false if another sweep was asked for since, which the mark then stands for.</summary>
    private async Task<bool> EndSweepAsync(LegState leg, long asked, CancellationToken cancellationToken)
    {
        await _marks.WaitAsync(cancellationToken);
        try
        {
            if (_sweepsAsked != asked)
            {
                return false;
            }

            await leg.Committer.CommitAsync([new StateMutation.PutValue(Sweep.MarkOf(Model.FullName, leg.From), null)]);
            return true;
        }
        finally
        {
            _marks.Release();
        }
    }

    private async Task PauseAsync(Exception e, int failures, CancellationToken cancellationToken)
    {
        var error = FailurePolicy.ErrorOf(e, "Starting the sync");
        var blocked = !FailurePolicy.PassesByItself(error.Code);
        var wait = blocked ? RecheckEvery : _backoff.After(failures, error.RetryAfter);
        foreach (var view in Views)
        {
            view.Set(blocked ? RunState.Blocked : RunState.Retrying, error, _parts.Clock.GetUtcNow() + wait);
        }

        LogNotStarted(_logger, error, error.Suggestion ?? "unknown");
        try
        {
            await Task.Delay(wait, _parts.Clock, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The loop ends by its condition.
        }
    }

    private void SetAll(RunState state)
    {
        foreach (var view in Views)
        {
            view.Set(state);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The sync cannot start: {Error} Fix: {Fix}")]
    private static partial void LogNotStarted(ILogger logger, SyncError error, string fix);

    [LoggerMessage(LogLevel.Warning, "The leg from {Side} stopped: {Error} Fix: {Fix}")]
    private static partial void LogLegStopped(ILogger logger, string side, SyncError error, string fix);

    [LoggerMessage(LogLevel.Information, "Looked for records of side {Side} that went away: {Gone}")]
    private static partial void LogSwept(ILogger logger, string side, long gone);
}
