namespace Duplex.Engine.Routing;

/// <summary>
/// Knows which log entries of a partition are under way, so that a leg's position is the first offset that is not
/// recorded yet, however many later ones are.
/// </summary>
internal sealed class OffsetTracker(string topic, int partition, long next)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, long> _running = [];
    private long _read = next;
    private long _highest = -1;

    public string Topic { get; } = topic;

    public int Partition { get; } = partition;

    /// <summary>
    /// Entries before this offset may have been recorded before the last end although the position lies before them: they are read again,
    /// after what they were followed by.
    /// </summary>
    public long OldBelow { get; init; }

    /// <summary>The highest offset that was ever recorded; -1 for none.</summary>
    public long HighestIfDone(IEnumerable<long> offsets)
    {
        lock (_lock)
        {
            _highest = Math.Max(_highest, offsets.Max());
            return Math.Max(_highest, OldBelow - 1);
        }
    }

    /// <summary>The first offset that is not recorded: where the leg continues after a crash.</summary>
    public long Position
    {
        get
        {
            lock (_lock)
            {
                return First(null);
            }
        }
    }

    /// <summary>When the oldest entry under way was appended, microseconds since 1970 UTC; 0 when nothing is under
    /// way.</summary>
    public long OldestMicros
    {
        get
        {
            lock (_lock)
            {
                foreach (var pair in _running)
                {
                    return pair.Value;
                }

                return 0;
            }
        }
    }

    /// <summary>An entry was taken from the log.</summary>
    public void Begin(long offset, long appendedMicros)
    {
        lock (_lock)
        {
            _running[offset] = appendedMicros;
            _read = offset + 1;
        }
    }

    /// <summary>The position if the given entries were recorded too.</summary>
    public long NextIfDone(IEnumerable<long> offsets)
    {
        var done = offsets.ToHashSet();
        lock (_lock)
        {
            return First(done);
        }
    }

    /// <summary>The entry is recorded.</summary>
    public void Done(long offset)
    {
        lock (_lock)
        {
            _running.Remove(offset);
        }
    }

    private long First(HashSet<long>? done)
    {
        foreach (var offset in _running.Keys)
        {
            if (done is null || !done.Contains(offset))
            {
                return offset;
            }
        }

        return _read;
    }
}
