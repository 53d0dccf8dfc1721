using System.Globalization;

namespace Duplex.Bench;

/// <summary>One figure, the floor that was measured beside it in the same run, and what it is meant to reach.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Value">The median of the rounds.</param>
/// <param name="Floor">The floor's median; null where there is none.</param>
/// <param name="FloorName">What the floor is.</param>
/// <param name="Budget">The aim, in words.</param>
/// <param name="Met">Whether this run reached it.</param>
/// <param name="Details">Further figures by name.</param>
internal sealed record Measurement(
    string Name,
    string Unit,
    double Value,
    double? Floor,
    string? FloorName,
    string Budget,
    bool Met,
    IReadOnlyDictionary<string, double> Details)
{
    public double? OfFloor => Floor is > 0 ? Value / Floor : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name,-44} {Value,12:N1} {Unit,-8} {(Floor is null ? "" : $"floor {Floor:N1} ({FloorName}), {OfFloor:P0}")}")
        + $"\n{"",-44} {(Met ? "met" : "NOT MET"),12}: {Budget}"
        + string.Concat(
            Details.Select(d => string.Create(CultureInfo.InvariantCulture, $"\n{"",-46}{d.Key}: {d.Value:N2}")));
}

/// <summary>Order statistics.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    /// <summary>The value below which the share of the values lies; the nearest rank, without interpolation.</summary>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted.Length == 0
            ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
