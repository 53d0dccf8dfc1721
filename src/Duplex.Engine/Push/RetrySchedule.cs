namespace Duplex.Engine.Push;

/// <summary>When a record that failed is due again. Chance comes from the record, so that a restart changes nothing.</summary>
internal sealed class RetrySchedule(IReadOnlyList<TimeSpan> waits, double jitter)
{
    /// <summary>The wait after so many failed attempts (1 or more); null when there is no further attempt.</summary>
    public TimeSpan? After(int failed, long offset)
    {
        if (failed > waits.Count)
        {
            return null;
        }

        return waits[failed - 1] * (1 + (jitter * Chance(offset, failed)));
    }

    /// <summary>Evenly spread over [0, 1) (SplitMix64).</summary>
    private static double Chance(long offset, int failed)
    {
        var z = unchecked(((ulong)offset * 0x9E37_79B9_7F4A_7C15) + ((ulong)failed * 0xD1B5_4A32_D192_ED03));
        z = unchecked((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB);
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
