namespace Duplex.Sdk;

/// <summary>
/// Reads the changes of one connection. The engine runs one <see cref="ReadAsync"/> at a time per connection, appends
/// every batch to the change log, and only then calls <see cref="ConfirmAsync"/>.
/// </summary>
public interface IRecordSource : IAsyncDisposable
{
    /// <summary>
    /// Yields batches in source order, without end, from the start position: first (or interleaved, at the source's
    /// choice) the snapshot of streams that have none yet as <see cref="ChangeOperation.Read"/> changes, then the
    /// stream. Position and snapshot progress travel in <see cref="ChangeBatch.Position"/>, so that a kill at any
    /// instant resumes without loss: what was yielded and not appended is yielded again. A batch is filled as far as
    /// there is something to read, and held back to be filled for some milliseconds at most, and only amid a flood. Each
    /// batch belongs to the receiver, which disposes it. A snapshot row must not follow a younger change of its record.
    /// </summary>
    /// <param name="from">The position that the log holds; null at the very first start.</param>
    /// <param name="cancellationToken">Ends the enumeration; what was yielded stays valid.</param>
    /// <exception cref="SyncException">
    /// <see cref="ErrorCode.SourceUnavailable"/>: the engine backs off and reads again from the log's position.
    /// <see cref="ErrorCode.SourceGap"/>, <see cref="ErrorCode.SourceMisconfigured"/>,
    /// <see cref="ErrorCode.SourceUnauthorized"/>: the source stops, the connection shows the error, and a person acts.
    /// A gap is never skipped.
    /// </exception>
    IAsyncEnumerable<ChangeBatch> ReadAsync(Position? from, CancellationToken cancellationToken);

    /// <summary>
    /// Tells that everything up to the position is durable in the log. Called after each append, in order, from the
    /// loop that reads. The source may let go of it (confirm the LSN). A throw is treated as a throw of
    /// <see cref="ReadAsync"/>.
    /// </summary>
    ValueTask ConfirmAsync(Position position, CancellationToken cancellationToken);

    /// <summary>What the source knows of itself. Called at any time from any thread; must not block.</summary>
    SourceState State { get; }

    /// <summary>
    /// The position from which the streams are snapshotted anew, in a new epoch, given the saved one: what an operator
    /// asks for after <see cref="ErrorCode.SourceGap"/>. May create or re-create what capture needs at the source.
    /// Called while no read runs.
    /// </summary>
    Task<Position?> ResnapshotAsync(Position? saved, CancellationToken cancellationToken);

    /// <summary>
    /// Removes what capture created at the source (slot, publication, triggers). Called when a person removes the
    /// connection for good. Idempotent.
    /// </summary>
    Task RemoveAsync(CancellationToken cancellationToken);
}

/// <summary>A source that also takes deliveries by HTTP.</summary>
public interface IWebhookSource : IRecordSource
{
    /// <summary>
    /// Checks a delivery's signature over its raw bytes and turns it into changes. Called from request threads, many at
    /// once. The engine appends the batch and answers 2xx only when it is durable.
    /// </summary>
    /// <returns>Accepted with a batch (which may be empty: an event that no stream wants), or refused with a status and
    /// a reason.</returns>
    ValueTask<WebhookVerdict> ReceiveAsync(WebhookDelivery delivery, CancellationToken cancellationToken);
}

/// <summary>One HTTP delivery.</summary>
/// <param name="Body">The raw bytes, at most 1 MB.</param>
/// <param name="Header">Looks a header up by name, without regard to case; null when absent.</param>
public sealed record WebhookDelivery(ReadOnlyMemory<byte> Body, Func<string, string?> Header);

/// <summary>What becomes of a delivery.</summary>
/// <param name="Status">The HTTP status when it is refused (400, 401); 200 when it is accepted.</param>
/// <param name="Reason">Why it is refused; null when it is accepted.</param>
/// <param name="Batch">The changes of an accepted delivery, for the receiver to dispose; null when refused.</param>
public sealed record WebhookVerdict(int Status, string? Reason, ChangeBatch? Batch);

/// <summary>What a source says of itself.</summary>
/// <param name="Phase">What it is doing.</param>
/// <param name="SnapshotRows">Rows read by the running or last snapshot.</param>
/// <param name="SnapshotRowsExpected">The estimate for a progress bar; 0 when unknown.</param>
/// <param name="SourceLagBytes">How far the source holds history for us beyond what is confirmed; 0 when it does not
/// apply.</param>
/// <param name="LastHeardAt">When the source last said anything, a keep-alive included; null before that.</param>
/// <param name="Warning">Something that needs an eye before it becomes an error (WAL nearing its bound); null if
/// nothing does.</param>
public sealed record SourceState(
    SourcePhase Phase,
    long SnapshotRows = 0,
    long SnapshotRowsExpected = 0,
    long SourceLagBytes = 0,
    DateTimeOffset? LastHeardAt = null,
    string? Warning = null);

/// <summary>What a source is doing.</summary>
public enum SourcePhase
{
    /// <summary>Nothing was asked of it, or it is connecting.</summary>
    Starting,
    /// <summary>Reading existing records (changes may flow beside it).</summary>
    Snapshot,
    /// <summary>Every selected stream is snapshotted; changes flow as they happen.</summary>
    Streaming,
}
