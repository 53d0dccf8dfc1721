using Duplex.Engine.Diagnostics;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>What outlives one life of a leg and is seen from outside: its state, error, counters, brake and
/// pause.</summary>
internal sealed class LegView(string sync, Side from, DeleteBrake brake)
{
    private readonly Lock _lock = new();
    private TurnRunner? _turns;
    private IReadOnlyList<OffsetTracker> _trackers = [];
    private IReadOnlyDictionary<int, long> _firstPassEnds = new Dictionary<int, long>();
    private bool _paused;
    private RunState _state = RunState.Starting;

    public Side From { get; } = from;

    public DeleteBrake Brake { get; } = brake;

    public LegCounters Counters { get; } = new(sync, from.Letter());

    public SyncError? Error { get; private set; }

    public DateTimeOffset? NextAttemptAt { get; private set; }

    /// <summary>Wakes a blocked leg.</summary>
    public Bell Resumed { get; } = new();

    public RunState State
    {
        get
        {
            lock (_lock)
            {
                if (_paused)
                {
                    return RunState.Paused;
                }

                return _state == RunState.Running && FirstPassLeft > 0 ? RunState.FirstSync : _state;
            }
        }
    }

    /// <summary>Log entries of the first sync that are not passed yet: existing records, indexed before any delivery
    /// began.</summary>
    public long FirstPassLeft
    {
        get
        {
            lock (_lock)
            {
                return _trackers.Sum(t => Math.Max(0, _firstPassEnds.GetValueOrDefault(t.Partition) - t.Position));
            }
        }
    }

    public IReadOnlyList<OffsetTracker> Trackers
    {
        get
        {
            lock (_lock)
            {
                return _trackers;
            }
        }
    }

    public void Set(RunState state, SyncError? error = null, DateTimeOffset? nextAttemptAt = null)
    {
        lock (_lock)
        {
            _state = state;
            Error = error;
            NextAttemptAt = nextAttemptAt;
        }
    }

    public void Pause(bool paused)
    {
        lock (_lock)
        {
            _paused = paused;
            _turns?.Pause(paused);
        }
    }

    public void Attach(
        TurnRunner turns, IReadOnlyList<OffsetTracker> trackers, IReadOnlyDictionary<int, long> firstPassEnds)
    {
        lock (_lock)
        {
            _firstPassEnds = firstPassEnds;
            _turns = turns;
            _trackers = trackers;
            turns.Pause(_paused);
            _state = RunState.Running;
            Error = null;
            NextAttemptAt = null;
        }
    }

    public void Detach()
    {
        lock (_lock)
        {
            _turns = null;
        }
    }
}
