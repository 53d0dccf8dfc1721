namespace Duplex.Engine.Push;

/// <summary>How a request to an endpoint ended.</summary>
internal enum PushResult
{
    /// <summary>Answered 2xx.</summary>
    Taken,
    /// <summary>Anything else: another attempt is due later.</summary>
    Failed,
    /// <summary>The endpoint is overloaded (502, 504): as failed, and the endpoint gets a rest.</summary>
    Overloaded,
    /// <summary>The endpoint asks to wait (429, or 503 with a time): not an attempt of the record.</summary>
    Throttled,
    /// <summary>The endpoint wants no more webhooks (410).</summary>
    Gone,
    /// <summary>Not sent, because the endpoint was held back or disabled meanwhile.</summary>
    NotSent,
    /// <summary>The record is no longer stored.</summary>
    Lost,
}

/// <summary>A request's end.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Error">Why it failed, for people; no record values.</param>
/// <param name="RetryAfter">How long the endpoint asks to wait.</param>
internal readonly record struct PushOutcome(PushResult Result, string? Error = null, TimeSpan? RetryAfter = null);
