namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>One chunk of a snapshot, from the mark before it to the verdict on it.</summary>
/// <param name="Number">Its number in this run.</param>
/// <param name="Stream">The stream that it reads.</param>
/// <param name="Again">The keys that it reads once more; null when it reads on from where the last one ended.</param>
internal sealed record SnapshotChunk(long Number, string Stream, IReadOnlyList<string>? Again)
{
    /// <summary>The rows; set by the reader before the mark behind the chunk is written.</summary>
    public SnapshotRows? Rows { get; set; }

    /// <summary>What the rows' snapshot saw; set with the rows.</summary>
    public VisibleTransactions? Seen { get; set; }

    /// <summary>The last row's key; null when there were none.</summary>
    public IReadOnlyList<string>? After { get; set; }

    /// <summary>Whether no row lies behind this chunk.</summary>
    public bool IsLast { get; set; }

    /// <summary>Whether its rows went into the log's order; otherwise it must be read again.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>Set when the mark behind the chunk has come by: the stream's progress, or null when it must be read
    /// again.</summary>
    public TaskCompletionSource<StreamProgress?> Verdict { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
