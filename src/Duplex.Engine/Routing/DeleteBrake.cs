using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>
/// Counts deletes within a minute and says stop above the limit. Released by a person up to a log offset: what was in
/// the log by then has been looked at.
/// </summary>
internal sealed class DeleteBrake(int perMinute, TimeProvider clock)
{
    private readonly Queue<(long At, RecordKey Key, long Offset)> _taken = new();
    private readonly HashSet<(RecordKey Key, long Offset)> _known = [];
    private long _releasedBelow = -1;

    /// <summary>Takes room for a record's delete, once however often it is tried; false when the limit is reached.</summary>
    public bool TryTake(RecordKey key, long offset)
    {
        if (perMinute <= 0)
        {
            return true;
        }

        lock (_taken)
        {
            if (offset < _releasedBelow)
            {
                return true;
            }

            var now = clock.GetTimestamp();
            while (_taken.TryPeek(out var oldest) && clock.GetElapsedTime(oldest.At, now) > TimeSpan.FromMinutes(1))
            {
                _taken.Dequeue();
                _known.Remove((oldest.Key, oldest.Offset));
            }

            if (_known.Contains((key, offset)))
            {
                return true;
            }

            if (_taken.Count >= perMinute)
            {
                return false;
            }

            _taken.Enqueue((now, key, offset));
            _known.Add((key, offset));
            return true;
        }
    }

    /// <summary>Lets every delete before the offset pass.</summary>
    public void Release(long below)
    {
        lock (_taken)
        {
            _releasedBelow = below;
            _taken.Clear();
            _known.Clear();
        }
    }
}
