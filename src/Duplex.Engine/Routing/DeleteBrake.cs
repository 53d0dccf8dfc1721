namespace Duplex.Engine.Routing;

/// <summary>
/// Counts deletes within a minute and says stop above the limit. Released by a person up to a log offset: what was in
/// the log by then has been looked at.
/// </summary>
internal sealed class DeleteBrake(int perMinute, TimeProvider clock)
{
    private readonly Queue<long> _times = new();
    private long _releasedBelow = -1;

    /// <summary>Takes room for one delete; false when the limit is reached.</summary>
    public bool TryTake(long offset)
    {
        if (perMinute <= 0)
        {
            return true;
        }

        lock (_times)
        {
            if (offset < _releasedBelow)
            {
                return true;
            }

            var now = clock.GetTimestamp();
            while (_times.TryPeek(out var oldest) && clock.GetElapsedTime(oldest, now) > TimeSpan.FromMinutes(1))
            {
                _times.Dequeue();
            }

            if (_times.Count >= perMinute)
            {
                return false;
            }

            _times.Enqueue(now);
            return true;
        }
    }

    /// <summary>Lets every delete before the offset pass.</summary>
    public void Release(long below)
    {
        lock (_times)
        {
            _releasedBelow = below;
            _times.Clear();
        }
    }
}
