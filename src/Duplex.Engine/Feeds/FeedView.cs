using System.Collections.Concurrent;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Routing;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>What outlives one life of a customer's leg and is seen from outside.</summary>
internal sealed class FeedView(string fullName)
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<(string Topic, int Partition), SyncError> _troubles = new();
    private RunState _state = RunState.Starting;
    private SyncError? _error;
    private IDisposable? _pause;
    private PartitionShare? _share;
    private int _partitions;

    public LegCounters Counters { get; } = new(fullName, "a");

    public PageGate Gate { get; } = new();

    /// <summary>By topic and partition: the first offset that is not dealt with.</summary>
    public ConcurrentDictionary<(string Topic, int Partition), long> Positions { get; } = new();

    /// <summary>The partitions that the leg carries into the feed.</summary>
    public ConcurrentDictionary<(string Topic, int Partition), PartitionHold> Owned { get; } = new();

    /// <summary>How many partitions the leg's tables have.</summary>
    public int Partitions => Volatile.Read(ref _partitions);

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
                var (state, error) = _state == RunState.Running && Trouble is { } trouble
                    ? (RunState.Retrying, trouble) : (_state, _error);
                return (_pause is null ? state : RunState.Paused, error);
            }
        }
    }

    /// <summary>Why a running leg does not carry all that is its own, or has nothing; null where nothing is wrong.</summary>
    private SyncError? Trouble =>
        _share?.Obstacle ?? _troubles.Select(static t => t.Value).FirstOrDefault()
        ?? (_partitions > 0 && Owned.IsEmpty ? Elsewhere() : null);

    /// <summary>A leg begins a life with a share of so many partitions.</summary>
    public void Begin(PartitionShare share, int partitions)
    {
        lock (_lock)
        {
            (_share, _partitions) = (share, partitions);
        }
    }

    /// <summary>The leg's life is over: it has nothing any more.</summary>
    public void End()
    {
        lock (_lock)
        {
            _share = null;
        }

        Owned.Clear();
        _troubles.Clear();
    }

    /// <summary>The leg no longer carries a partition; it may hold the same one anew.</summary>
    public void Disown(PartitionHold hold) => Owned.TryRemove(new((hold.Topic, hold.Partition), hold));

    /// <summary>The feed has everything before the offset. What it has, it keeps.</summary>
    public void Reach(string topic, int partition, long offset) => Positions.AddOrUpdate(
        (topic, partition), static (_, reached) => reached, static (_, before, reached) => Math.Max(before, reached), offset);

    /// <summary>A partition stands still for a reason; null once it goes on.</summary>
    public void SetTrouble(string topic, int partition, SyncError? trouble)
    {
        if (trouble is not null)
        {
            _troubles[(topic, partition)] = trouble;
        }
        else if (!_troubles.IsEmpty)
        {
            _troubles.TryRemove((topic, partition), out _);
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

    private static SyncError Elsewhere() => new(ErrorCode.StorageUnavailable,
        "None of its partitions is this process's: other members of the consumer group have them.",
        Suggestion: "End the other members if this process is to serve the customer; the group's members are told by "
        + "kafka-consumer-groups.sh --describe --members.");
}
