using System.Diagnostics;
using Duplex.Sdk;

namespace Duplex.Engine.Delivery;

/// <summary>What the engine does about a failure.</summary>
internal enum FailureAction
{
    /// <summary>The record waits and is tried again by itself.</summary>
    Retry,
    /// <summary>The record is parked for a person; others go on.</summary>
    DeadLetter,
    /// <summary>Everything that uses the connection waits until a person has acted; it is probed meanwhile.</summary>
    BlockConnection,
    /// <summary>The leg stops and waits for a person.</summary>
    BlockLeg,
    /// <summary>The leg stops and starts again from what is stored.</summary>
    RestartLeg,
}

/// <summary>Maps every error code to what is done about it. There is no default: a code without a policy is a fault of
/// ours, never a guess.</summary>
internal static class FailurePolicy
{
    public static FailureAction For(ErrorCode code) => code switch
    {
        ErrorCode.SourceUnavailable => FailureAction.Retry,
        ErrorCode.SourceUnauthorized => FailureAction.Retry,
        ErrorCode.SourceMisconfigured => FailureAction.BlockLeg,
        ErrorCode.SourceGap => FailureAction.BlockLeg,
        ErrorCode.SourceUnreadable => FailureAction.DeadLetter,
        ErrorCode.SinkUnavailable => FailureAction.Retry,
        ErrorCode.SinkFailed => FailureAction.Retry,
        ErrorCode.SinkRateLimited => FailureAction.Retry,
        ErrorCode.SinkBusy => FailureAction.Retry,
        ErrorCode.SinkUnauthorized => FailureAction.BlockConnection,
        ErrorCode.SinkRejected => FailureAction.DeadLetter,
        ErrorCode.SinkConstraint => FailureAction.Retry,
        ErrorCode.SinkGone => FailureAction.Retry,
        ErrorCode.SinkExists => FailureAction.DeadLetter,
        ErrorCode.SinkKeyReused => FailureAction.DeadLetter,
        ErrorCode.MappingFailed => FailureAction.DeadLetter,
        ErrorCode.StorageFull => FailureAction.RestartLeg,
        ErrorCode.StorageFailed => FailureAction.RestartLeg,
        ErrorCode.StorageUnavailable => FailureAction.RestartLeg,
        ErrorCode.StorageFenced => FailureAction.RestartLeg,
        ErrorCode.StorageUnreadable => FailureAction.BlockLeg,
        ErrorCode.ConfigInvalid => FailureAction.BlockLeg,
        ErrorCode.BrakeEngaged => FailureAction.BlockLeg,
        ErrorCode.MatchAmbiguous => FailureAction.DeadLetter,
        ErrorCode.ConflictManual => FailureAction.DeadLetter,
        ErrorCode.Internal => FailureAction.DeadLetter,
        _ => throw new UnreachableException($"ErrorCode {(int)code} has no policy."),
    };

    /// <summary>
    /// How many attempts a record gets before it is parked although its kind of failure usually passes; 0 for no limit.
    /// A sink that fails definitely on one record again and again, or lacks the record for good, fails because of the
    /// record.
    /// </summary>
    public static int AttemptsMax(ErrorCode code) => code switch
    {
        ErrorCode.SinkFailed => 20,
        ErrorCode.SinkConstraint => 10,
        ErrorCode.SinkGone => 40,
        _ => 0,
    };

    /// <summary>Whether what stopped a capture or a sync goes away without a person.</summary>
    public static bool PassesByItself(ErrorCode code) => code is ErrorCode.SourceUnavailable
        or ErrorCode.SinkUnavailable or ErrorCode.StorageFull or ErrorCode.StorageUnavailable or ErrorCode.Internal;

    /// <summary>The error that an exception tells; an unforeseen one is a fault of ours.</summary>
    public static SyncError ErrorOf(Exception e, string what) => (e as SyncException)?.Error
        ?? new SyncError(ErrorCode.Internal, $"{what} failed: {e.GetType().Name}: {e.Message}", Detail: e.StackTrace);

    /// <summary>
    /// Whether the next attempt depends on another change that is on its way rather than on the other system's health:
    /// such a record looks again soon.
    /// </summary>
    public static bool WaitsForOthers(ErrorCode code) => code is ErrorCode.SinkGone or ErrorCode.SinkConstraint;

    /// <summary>Whether the write may have happened although it failed.</summary>
    public static bool OutcomeUnknown(ErrorCode code) => code is ErrorCode.SinkUnavailable or ErrorCode.SinkBusy;
}
