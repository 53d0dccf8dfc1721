using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Links;

/// <summary>
/// Tells whether what was read about a record before its turn came may have been changed since. Stamps share slots by
/// hash: a collision costs a second read, never a stale one.
/// </summary>
internal sealed class FreshnessStamps
{
    private const int Slots = 1 << 16;
    private readonly long[] _stamps = new long[Slots];
    private long _now = 1;

    /// <summary>The instant to remember before reading.</summary>
    public long Now => Volatile.Read(ref _now);

    /// <summary>Tells that something about the record was committed.</summary>
    public void Touch(Side side, RecordKey key)
    {
        if (!key.IsEmpty)
        {
            Volatile.Write(ref _stamps[Slot(side, key)], Interlocked.Increment(ref _now));
        }
    }

    /// <summary>Whether nothing about the record was committed since the instant.</summary>
    public bool IsFresh(Side side, RecordKey key, long since) => Volatile.Read(ref _stamps[Slot(side, key)]) <= since;

    private static int Slot(Side side, RecordKey key) => (key.GetHashCode() + (int)side) & (Slots - 1);
}
