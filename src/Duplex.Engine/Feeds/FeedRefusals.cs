using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>What every feed store says when it refuses.</summary>
public static class FeedRefusals
{
    /// <summary>Retention has removed what the reader asked for.</summary>
    public static SyncException Gap(string feed, long first) => new(ErrorCode.SourceGap,
        $"Records of feed {feed} before offset {first} were removed by retention; the first that can be read is {first}.",
        $"Read on after offset {first - 1}, and replay the records in between if they are still wanted.");

    /// <summary>Another process writes the feed.</summary>
    public static SyncException Fenced(string feed, long epoch, long current) => new(ErrorCode.StorageFenced,
        $"Feed {feed} is written by another process (epoch {current}, this one has {epoch}).",
        "Nothing is lost: the other process goes on. Let one process only serve this customer.");

    /// <summary>The feed was never acquired.</summary>
    public static InvalidOperationException Unknown(string feed) =>
        new($"Feed {feed} does not exist; AcquireAsync comes first.");

    /// <summary>An offset that a consumer cannot have dealt with.</summary>
    public static ArgumentOutOfRangeException Beyond(long offset, long last) =>
        new(nameof(offset), offset, $"The feed's last record has offset {last}.");
}
