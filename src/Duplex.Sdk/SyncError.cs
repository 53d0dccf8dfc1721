namespace Duplex.Sdk;

/// <summary>Every kind of failure that Duplex knows. The dotted code that people see is
/// <see cref="ErrorCodes.Dotted"/>.</summary>
public enum ErrorCode
{
    /// <summary>The source cannot be reached; it is tried again.</summary>
    SourceUnavailable,
    /// <summary>The source refuses our credentials or lacks a privilege; a person must act.</summary>
    SourceUnauthorized,
    /// <summary>The source's settings make capture impossible or unsafe; a person must act.</summary>
    SourceMisconfigured,
    /// <summary>The saved position cannot be resumed without losing changes; a re-snapshot is offered.</summary>
    SourceGap,
    /// <summary>The source sent something that cannot be decoded.</summary>
    SourceUnreadable,
    /// <summary>The sink cannot be reached, timed out or failed (5xx): the outcome may be unknown; retried under the
    /// same key.</summary>
    SinkUnavailable,
    /// <summary>The sink answered a definite failure that it would replay for the same key; retried under a fresh
    /// key.</summary>
    SinkFailed,
    /// <summary>The sink asks us to slow down.</summary>
    SinkRateLimited,
    /// <summary>The sink's record is locked or another request with our key is in flight; retried soon.</summary>
    SinkBusy,
    /// <summary>The sink refuses our credentials or lacks a privilege; the connection pauses until a person
    /// acts.</summary>
    SinkUnauthorized,
    /// <summary>The sink refuses this record's data; only this record is parked.</summary>
    SinkRejected,
    /// <summary>
    /// Another record stands in the way at the sink: it holds a value that must be unique, is referred to but not there
    /// yet, or still refers to this one. Changes under way often clear it: tried again for a while, then parked.
    /// </summary>
    SinkConstraint,
    /// <summary>The record is gone at the sink.</summary>
    SinkGone,
    /// <summary>The record already exists at the sink under this key.</summary>
    SinkExists,
    /// <summary>The sink says that our idempotency key was used with other parameters: a bug alarm.</summary>
    SinkKeyReused,
    /// <summary>The mapping cannot turn this record into the other side's form.</summary>
    MappingFailed,
    /// <summary>The change log or state store is full; nothing is acknowledged until there is room.</summary>
    StorageFull,
    /// <summary>The change log or state store failed; nothing is acknowledged.</summary>
    StorageFailed,
    /// <summary>The change log's or state store's server does not answer; nothing is acknowledged; it goes on by itself.</summary>
    StorageUnavailable,
    /// <summary>Another process owns this data directory or this leg (a newer epoch).</summary>
    StorageFenced,
    /// <summary>What is stored was written by a version that this one does not know, or is damaged.</summary>
    StorageUnreadable,
    /// <summary>The configuration is wrong.</summary>
    ConfigInvalid,
    /// <summary>A brake stopped the leg: more deletes or updates than the limit allows.</summary>
    BrakeEngaged,
    /// <summary>Several records match; a person must choose.</summary>
    MatchAmbiguous,
    /// <summary>Both sides changed the same field and the policy leaves the choice to a person.</summary>
    ConflictManual,
    /// <summary>A bug in Duplex.</summary>
    Internal,
}

/// <summary>One failure, for people and for policy alike. A value: it is returned, stored and shown, seldom
/// thrown.</summary>
/// <param name="Code">The kind, from which the engine derives its policy.</param>
/// <param name="Message">One sentence that names the thing that failed. No secrets, no record values.</param>
/// <param name="Path">JSON pointer into <c>duplex.yaml</c>, or the field of the record, that the failure is about; null
/// if none.</param>
/// <param name="Suggestion">The fix, as a command or an edit where there is one; null if none is known.</param>
/// <param name="RetryAfter">How long the other side asks us to wait; null if it does not say.</param>
/// <param name="Detail">The vendor's own words and request id; null if none.</param>
public sealed record SyncError(
    ErrorCode Code,
    string Message,
    string? Path = null,
    string? Suggestion = null,
    TimeSpan? RetryAfter = null,
    string? Detail = null)
{
    /// <summary>For logs: the dotted code and the message.</summary>
    public override string ToString() => $"{ErrorCodes.Dotted(Code)}: {Message}";
}

/// <summary>
/// Carries a <see cref="SyncError"/> out of a source, a connection attempt or a store. Per-record failures in the hot
/// loop are values (<see cref="WriteOutcome.Error"/>), not exceptions.
/// </summary>
public sealed class SyncException : Exception
{
    /// <summary>Wraps an error, with the exception that caused it if there was one.</summary>
    public SyncException(SyncError error, Exception? innerException = null)
        : base(error?.ToString(), innerException) => Error = error ?? throw new ArgumentNullException(nameof(error));

    /// <summary>Wraps an error made of its two necessary parts.</summary>
    public SyncException(ErrorCode code, string message, string? suggestion = null, Exception? innerException = null)
        : this(new SyncError(code, message, Suggestion: suggestion), innerException)
    {
    }

    /// <summary>The failure.</summary>
    public SyncError Error { get; }
}
