using Duplex.Engine.Config;
using Duplex.Engine.Connections;
using Duplex.Engine.Delivery;
using Duplex.Engine.Links;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>What both legs of a running sync share.</summary>
internal sealed class SyncContext
{
    private readonly ConnectionRuntime[] _sides;
    private readonly CreatesInFlight[] _creates = [new(), new()];

    public SyncContext(SyncModel model, CompiledMapping mapping, ConnectionRuntime a, ConnectionRuntime b,
        EngineParts parts)
    {
        Model = model;
        Name = model.FullName;
        Rules = mapping.Rules;
        _sides = [a, b];
        Store = parts.Store;
        Clock = parts.Clock;
        Merger = new Merger(model, Rules);
        Match = new MatchKeys(model.Match, Rules);
    }

    public SyncModel Model { get; }

    public string Name { get; }

    public IReadOnlyList<CompiledRule> Rules { get; }

    public IStateStore Store { get; }

    public TimeProvider Clock { get; }

    public Merger Merger { get; }

    public MatchKeys Match { get; }

    /// <summary>Held while a live pair is decided and written, whichever leg does it.</summary>
    public LeafLocks<long> PairLocks { get; } = new();

    /// <summary>Held while an unlinked record with the match text is paired or created.</summary>
    public LeafLocks<string> MatchLocks { get; } = new();

    public FreshnessStamps Stamps { get; } = new();

    /// <summary>Spreads retries, so that what failed together is not tried together.</summary>
    public Backoff Backoff { get; } = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromMinutes(5), 23);

    public ConnectionRuntime Connection(Side side) => _sides[(int)side];

    public string Stream(Side side) => Model.Of(side).Stream;

    /// <summary>The legs in memory, by the side that they read; null while one does not run.</summary>
    public LegState?[] Legs { get; } = new LegState?[2];

    /// <summary>Runs a commit that makes a record of another leg pending, so that the leg notices.</summary>
    public async Task CommitToOtherLegAsync(Side from, Func<Task> commit)
    {
        var leg = Legs[(int)from];
        await (leg is null ? commit() : leg.CommitPendingAsync(commit));
        if (Legs[(int)from] is { } begun && begun != leg)
        {
            // It began meanwhile, and may have looked before the commit was there.
            begun.NoticePending();
        }
    }

    public long NowMicros() => Clock.NowMicros();

    /// <summary>The creates that the leg from the side has under way.</summary>
    public CreatesInFlight CreatesFrom(Side side) => _creates[(int)side];

    /// <summary>The leg that reads the side.</summary>
    public LegId Leg(Side from) => new(Name, from);

    public Task<WriteOutcome> WriteAsync(Side side, WriteRequest request, CancellationToken cancellationToken) =>
        FormerKeys.Is(request.Key)
            ? Task.FromResult(WriteOutcome.Failure(new SyncError(
                ErrorCode.SinkGone, "The record was deleted, and the delete has not been carried over yet.")))
            : Connection(side).Lane.WriteAsync(request, cancellationToken);
}
