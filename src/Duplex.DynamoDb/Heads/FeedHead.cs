using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Duplex.Engine.Feeds;

namespace Duplex.DynamoDb.Heads;

/// <summary>
/// What a feed's head item says: readers see what it covers and nothing else. A record's key holds the stamp of the
/// attempt that wrote it, and the head says which attempt each offset is of: what a writer that was replaced, or an
/// attempt that failed, has left behind or still writes is never read.
/// </summary>
internal sealed record FeedHead
{
    public required string Name { get; init; }

    public required long Epoch { get; init; }

    public required long First { get; init; }

    public required long Last { get; init; }

    public required long Bytes { get; init; }

    public required long OldestMicros { get; init; }

    public required long AgeMicros { get; init; }

    public required long BytesMax { get; init; }

    /// <summary>From which offset on which stamp is the valid one, ascending.</summary>
    public required IReadOnlyList<StampedRun> Runs { get; init; }

    /// <summary>The highest offset that came from each source.</summary>
    public required IReadOnlyDictionary<string, long> Sources { get; init; }

    public FeedState State => new(Name, First, Last, Bytes, First > Last ? 0 : OldestMicros);

    /// <summary>The stamp of the record with this offset.</summary>
    public string StampOf(long offset)
    {
        var low = 0;
        var high = Runs.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = Runs[middle].From <= offset ? (middle, high) : (low, middle - 1);
        }

        return Runs.Count == 0 ? "" : Runs[low].Stamp;
    }

    public static FeedHead Read(Dictionary<string, AttributeValue> item) => new()
    {
        Name = item[Requests.FeedTables.Feed].S,
        Epoch = Number(item, HeadAttributes.Epoch),
        First = Number(item, HeadAttributes.First),
        Last = Number(item, HeadAttributes.Last),
        Bytes = Number(item, HeadAttributes.Bytes),
        OldestMicros = Number(item, HeadAttributes.Oldest),
        AgeMicros = Number(item, HeadAttributes.Age),
        BytesMax = Number(item, HeadAttributes.BytesMax),
        Runs = item.TryGetValue(HeadAttributes.Runs, out var runs) ? StampedRun.ReadAll(runs.S) : [],
        Sources = item.TryGetValue(HeadAttributes.Sources, out var sources) && sources.M is { } map
            ? map.ToDictionary(static s => s.Key, static s => Number(s.Value), StringComparer.Ordinal)
            : new Dictionary<string, long>(StringComparer.Ordinal),
    };

    private static long Number(Dictionary<string, AttributeValue> item, string name) => Number(item[name]);

    private static long Number(AttributeValue value) => long.Parse(value.N, CultureInfo.InvariantCulture);
}

/// <summary>From an offset on, records are valid that carry this stamp.</summary>
internal readonly record struct StampedRun(long From, string Stamp)
{
    public static string WriteAll(IEnumerable<StampedRun> runs) => string.Join(',',
        runs.Select(static run => string.Create(CultureInfo.InvariantCulture, $"{run.From}:{run.Stamp}")));

    public static IReadOnlyList<StampedRun> ReadAll(string text) =>
    [
        .. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static run => run.Split(':'))
            .Select(static run => new StampedRun(long.Parse(run[0], CultureInfo.InvariantCulture), run[1])),
    ];
}

/// <summary>Names of a head's attributes; none is a word that DynamoDB reserves.</summary>
internal static class HeadAttributes
{
    public const string Epoch = "h_epoch";
    public const string First = "h_first";
    public const string Last = "h_last";
    public const string Bytes = "h_bytes";
    public const string Oldest = "h_oldest";
    public const string Age = "h_age";
    public const string BytesMax = "h_bytes_max";
    public const string Runs = "h_runs";
    public const string Sources = "h_sources";
}
