using System.Collections.Concurrent;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Routing;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>What outlives one life of a customer's leg and is seen from outside.</summary>
internal sealed class FeedView(string fullName)
{
    private readonly Lock _lock = new();
    private RunState _state = RunState.Starting;
    private SyncError? _error;
    private IDisposable? _pause;

    public LegCounters Counters { get; } = new(fullName, "a");

    public PageGate Gate { get; } = new();

    /// <summary>By topic and partition: the first offset that is not dealt with.</summary>
    public ConcurrentDictionary<(string Topic, int Partition), long> Positions { get; } = new();

    /// <summary>Wakes a leg that waits for a person.</summary>
    public Waiting.Bell Resumed { get; } = new();

    /// <summary>Wakes the replay loop when a replay was asked for.</summary>
    public Waiting.Bell ReplayAsked { get; } = new();

    /// <summary>The replay that is to end soon.</summary>
    public string? ReplayCancelled { get; set; }

    public (RunState State, SyncError? Error) State
    {
        get
        {
            lock (_lock)
            {
                return (_pause is null ? _state : RunState.Paused, _error);
            }
        }
    }

    public void Set(RunState state, SyncError? error = null)
    {
        lock (_lock)
        {
            (_state, _error) = (state, error);
        }
    }

    public async Task PauseAsync(CancellationToken cancellationToken)
    {
        var hold = await Gate.HoldAsync(cancellationToken);
        lock (_lock)
        {
            if (_pause is null)
            {
                (_pause, hold) = (hold, null);
            }
        }

        hold?.Dispose();
    }

    public void Resume()
    {
        IDisposable? pause;
        lock (_lock)
        {
            (pause, _pause) = (_pause, null);
        }

        pause?.Dispose();
        Resumed.Ring();
    }
}
