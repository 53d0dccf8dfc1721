using System.Diagnostics.Metrics;

namespace Duplex.Engine.Routing;

/// <summary>What a leg has done since the process started, for status and for the meter <c>Duplex</c>.</summary>
internal sealed class LegCounters
{
    private static readonly Meter Meter = new("Duplex");
    private static readonly Counter<long> Changes = Meter.CreateCounter<long>(
        "duplex.changes", "{change}", "Changes by what became of them.");

    private readonly long[] _counts = new long[Enum.GetValues<Outcome>().Length];
    private readonly KeyValuePair<string, object?>[][] _tags;

    public LegCounters(string sync, string from) => _tags = [.. Enum.GetValues<Outcome>().Select(
        KeyValuePair<string, object?>[] (o) =>
            [new("sync", sync), new("from", from), new("outcome", o.ToString().ToLowerInvariant())])];

    /// <summary>What became of a change or an attempt.</summary>
    public enum Outcome
    {
        /// <summary>Read from the log.</summary>
        Seen,
        /// <summary>A write was applied.</summary>
        Written,
        /// <summary>No write was needed.</summary>
        Agreed,
        /// <summary>Our own write came back.</summary>
        Echo,
        /// <summary>An attempt failed.</summary>
        Failed,
        /// <summary>A rule left it out.</summary>
        Filtered,
        /// <summary>Parked.</summary>
        DeadLettered,
        /// <summary>Older than a change of its record that came before it.</summary>
        Superseded,
    }

    public long this[Outcome outcome] => Interlocked.Read(ref _counts[(int)outcome]);

    public void Add(Outcome outcome, long count = 1)
    {
        Interlocked.Add(ref _counts[(int)outcome], count);
        Changes.Add(count, _tags[(int)outcome]);
    }
}
