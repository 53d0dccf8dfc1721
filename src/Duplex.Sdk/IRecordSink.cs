namespace Duplex.Sdk;

/// <summary>Writes records. The engine owns batching, retries, order, and dead letters; a sink only writes and
/// reports.</summary>
public interface IRecordSink : IAsyncDisposable
{
    /// <summary>
    /// Writes up to <see cref="ConnectorCapabilities.BatchMax"/> requests of one stream and reports on each, in order.
    /// Up to <see cref="ConnectorCapabilities.Parallelism"/> calls run at once; two requests for one record are never
    /// in flight together. Nothing is retried inside. When the method returns, every outcome that says
    /// <see cref="WriteStatus.Applied"/> is durable at the other side. A failed request leaves the others of the batch
    /// standing: a sink whose batch is all-or-nothing reports the batch's error on each request with
    /// <see cref="WriteStatus.NotTried"/> for the innocent, and the engine bisects.
    /// </summary>
    /// <param name="requests">The requests; all of one stream.</param>
    /// <param name="cancellationToken">The process is ending: outcomes not known by then are reported as
    /// <see cref="ErrorCode.SinkUnavailable"/>, or the method throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>One outcome per request, in order.</returns>
    Task<IReadOnlyList<WriteOutcome>> WriteAsync(
        IReadOnlyList<WriteRequest> requests, CancellationToken cancellationToken);
}

/// <summary>What to do with a record at the sink.</summary>
public enum WriteOperation
{
    /// <summary>Create it; the sink gives or accepts the key.</summary>
    Create,
    /// <summary>Change the named fields and no other.</summary>
    Update,
    /// <summary>Delete it.</summary>
    Delete,
}

/// <summary>One write.</summary>
public sealed record WriteRequest
{
    /// <summary>The stream.</summary>
    public required string Stream { get; init; }

    /// <summary>What to do.</summary>
    public required WriteOperation Operation { get; init; }

    /// <summary>The record's key at the sink; empty for a create whose key the sink gives.</summary>
    public RecordKey Key { get; init; }

    /// <summary>
    /// Create: all mapped fields. Update: only the changed ones. Nested objects name only the members to set. Null sets
    /// null (or unsets, where the sink has no null). Delete: null.
    /// </summary>
    public Record? Fields { get; init; }

    /// <summary>
    /// The values that these fields (update) or all mapped fields (delete) are believed to have at the sink. A sink
    /// that <see cref="ConnectorCapabilities.ComparesBeforeWrite"/> reports <see cref="WriteStatus.Conflict"/> with the
    /// current record instead of writing when one of them differs (a field that already has the wanted value is no
    /// difference). Null: write without comparing.
    /// </summary>
    public Record? Expected { get; init; }

    /// <summary>
    /// Deterministic: the same write has the same key after a crash. A sink that offers idempotency sends it; one that
    /// does not keeps it beside the write, so that a create is never made twice. At most 255 characters of ASCII,
    /// starting with <see cref="OriginMarks.Prefix"/>; it is also the mark by which the echo is known.
    /// </summary>
    public required string IdempotencyKey { get; init; }
}

/// <summary>How a write ended.</summary>
public enum WriteStatus
{
    /// <summary>Done, now or by an earlier attempt under the same key.</summary>
    Applied,
    /// <summary>Not written: the record differs from <see cref="WriteRequest.Expected"/>;
    /// <see cref="WriteOutcome.Current"/> has it.</summary>
    Conflict,
    /// <summary>Failed; <see cref="WriteOutcome.Error"/> says how.</summary>
    Failed,
    /// <summary>Not tried, because another request of the batch failed.</summary>
    NotTried,
}

/// <summary>The outcome of one write.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Key">The record's key at the sink, for creates and updates that were applied. After
/// <see cref="ErrorCode.SinkExists"/> and, where the sink can tell, <see cref="ErrorCode.SinkConstraint"/>: the key of the record that
/// stands in the way, because it holds the key or the unique value.</param>
/// <param name="Current">The record at the sink after the write (or, on conflict, as it is); null when the sink does
/// not tell.</param>
/// <param name="AtMicros">When, by the sink's clock, microseconds since 1970 UTC; 0 when unknown.</param>
/// <param name="Error">The failure; null unless <see cref="WriteStatus.Failed"/> or
/// <see cref="WriteStatus.NotTried"/>.</param>
/// <param name="RequestId">The vendor's request id, or the like, for the timeline.</param>
public sealed record WriteOutcome(
    WriteStatus Status,
    RecordKey Key = default,
    Record? Current = null,
    long AtMicros = 0,
    SyncError? Error = null,
    string? RequestId = null)
{
    /// <summary>A failure.</summary>
    public static WriteOutcome Failure(SyncError error, string? requestId = null) =>
        new(WriteStatus.Failed, Error: error, RequestId: requestId);
}
