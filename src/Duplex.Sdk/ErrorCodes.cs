using System.Diagnostics;

namespace Duplex.Sdk;

/// <summary>The stable dotted form of each <see cref="ErrorCode"/>, as the API, the CLI and the docs show it.</summary>
public static class ErrorCodes
{
    /// <summary>The dotted code. Stable across versions: clients match on it.</summary>
    public static string Dotted(ErrorCode code) => code switch
    {
        ErrorCode.SourceUnavailable => "source.unavailable",
        ErrorCode.SourceUnauthorized => "source.unauthorized",
        ErrorCode.SourceMisconfigured => "source.misconfigured",
        ErrorCode.SourceGap => "source.gap",
        ErrorCode.SourceUnreadable => "source.unreadable",
        ErrorCode.SinkUnavailable => "sink.unavailable",
        ErrorCode.SinkFailed => "sink.failed",
        ErrorCode.SinkRateLimited => "sink.rate_limited",
        ErrorCode.SinkBusy => "sink.busy",
        ErrorCode.SinkUnauthorized => "sink.unauthorized",
        ErrorCode.SinkRejected => "sink.rejected",
        ErrorCode.SinkConstraint => "sink.constraint",
        ErrorCode.SinkGone => "sink.gone",
        ErrorCode.SinkExists => "sink.exists",
        ErrorCode.SinkKeyReused => "sink.key_reused",
        ErrorCode.MappingFailed => "mapping.failed",
        ErrorCode.StorageFull => "storage.full",
        ErrorCode.StorageFailed => "storage.failed",
        ErrorCode.StorageUnavailable => "storage.unavailable",
        ErrorCode.StorageFenced => "storage.fenced",
        ErrorCode.StorageUnreadable => "storage.unreadable",
        ErrorCode.ConfigInvalid => "config.invalid",
        ErrorCode.BrakeEngaged => "brake.engaged",
        ErrorCode.MatchAmbiguous => "match.ambiguous",
        ErrorCode.ConflictManual => "conflict.manual",
        ErrorCode.Internal => "internal",
        _ => throw new UnreachableException($"ErrorCode {(int)code} has no dotted form."),
    };
}
