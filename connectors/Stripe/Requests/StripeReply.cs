using System.Diagnostics.CodeAnalysis;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Requests;

/// <summary>What came back, or why nothing did.</summary>
internal sealed record StripeReply
{
    private Record? _record;

    /// <summary>The HTTP status; 0 when there was no answer.</summary>
    public int Status { get; init; }

    /// <summary>The whole body.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Stripe's name for the request; null when there was no answer.</summary>
    public string? RequestId { get; init; }

    /// <summary>The <c>Date</c> of the answer in seconds since 1970 UTC; 0 when absent.</summary>
    public long ServerSeconds { get; init; }

    /// <summary>From sending to the end of the answer.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Whether Stripe repeated the stored answer of an earlier request with the same key.</summary>
    public bool Replayed { get; init; }

    /// <summary>Stripe's own judgement about a retry; null when it does not say.</summary>
    public bool? ShouldRetry { get; init; }

    /// <summary>How long Stripe asks us to wait; null when it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Which limit a 429 is about; null when it does not say.</summary>
    public string? LimitReason { get; init; }

    /// <summary>The failure, in the terms of a sink; null when the request was done.</summary>
    public SyncError? Error { get; init; }

    /// <summary>Whether the request was done.</summary>
    [MemberNotNullWhen(false, nameof(Error))]
    public bool Done => Error is null;

    /// <summary>The body as a record.</summary>
    public Record Record => _record ??= new Record(Body);

    /// <summary>The latest instant that the answer can describe, by Stripe's clock, in microseconds since 1970
    /// UTC.</summary>
    public long AtMicros => ServerSeconds * 1_000_000;

    /// <summary>
    /// The earliest instant that the answer can describe. A change at or after it may be missing from the answer:
    /// clocks have a resolution of a second and the answer was made some time after the request was sent.
    /// </summary>
    public long SinceMicros => ServerSeconds == 0
        ? 0
        : (ServerSeconds - (long)Math.Ceiling(Elapsed.TotalSeconds)) * 1_000_000;
}
