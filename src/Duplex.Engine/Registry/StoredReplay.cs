namespace Duplex.Engine.Registry;

/// <summary>A customer's last replay.</summary>
internal sealed record StoredReplay(string Id, string State, long AtMicros, IReadOnlyList<StoredReplayRange> Ranges)
{
    /// <summary>It goes on, also after a restart.</summary>
    public const string Running = "running";

    /// <summary>It takes up nothing more, and ends when what was sent is followed by what is newer.</summary>
    public const string Cancelling = "cancelling";

    public const string Done = "done";

    public const string Cancelled = "cancelled";

    public const string Failed = "failed";

    /// <summary>The only record to send, as canonical key; null for all.</summary>
    public string? Key { get; init; }

    /// <summary>Records appended to the feed.</summary>
    public long Sent { get; init; }

    /// <summary>Changes that the mapping or the schema refused.</summary>
    public long Refused { get; init; }

    /// <summary>The first refusal, or what ended it.</summary>
    public string? Error { get; init; }

    public bool IsOpen => State is Running or Cancelling;
}

/// <summary>What is sent of one partition: from an offset to before another one.</summary>
internal sealed record StoredReplayRange(string Table, string Topic, int Partition, long From, long To, long Reached);
