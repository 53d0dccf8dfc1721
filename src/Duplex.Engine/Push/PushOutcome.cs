namespace Duplex.Engine.Push;

/// <summary>How sending a record ended.</summary>
public enum PushResult
{
    /// <summary>It is there: answered 2xx, or acknowledged by the brokers.</summary>
    Taken,
    /// <summary>Refused, or anything else that is about this record: another attempt is due later.</summary>
    Failed,
    /// <summary>The endpoint is overloaded (502, 504): as failed, and the endpoint gets a rest.</summary>
    Overloaded,
    /// <summary>What is pushed to cannot be reached or takes nothing, whatever the record: not an attempt of it.</summary>
    Away,
    /// <summary>The endpoint asks to wait (429, or 503 with a time): not an attempt of the record.</summary>
    Throttled,
    /// <summary>The endpoint wants no more webhooks (410).</summary>
    Gone,
    /// <summary>Not sent, because the endpoint was held back or disabled meanwhile.</summary>
    NotSent,
    /// <summary>The record is no longer stored.</summary>
    Lost,
}

/// <summary>How sending a record ended.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Error">Why it failed, for people; no record values.</param>
/// <param name="RetryAfter">How long to wait, where the other side says so.</param>
public readonly record struct PushOutcome(PushResult Result, string? Error = null, TimeSpan? RetryAfter = null);
