using System.Text.Json.Serialization;

namespace Duplex.Simulators.Stripe.Faults;

/// <summary>What goes wrong. "Before" leaves nothing behind; "after" leaves the effect and hides the answer.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FaultKind>))]
public enum FaultKind
{
    /// <summary>
    /// 500 (or <see cref="FaultRule.Status"/>) before execution: no effect, nothing kept for the key.
    /// </summary>
    [JsonStringEnumMemberName("error_before")]
    ErrorBefore,

    /// <summary>500 once execution began: no effect, and the 500 is replayed for the key.</summary>
    [JsonStringEnumMemberName("error_during")]
    ErrorDuring,

    /// <summary>500 although the change was made; the 500 is replayed for the key.</summary>
    [JsonStringEnumMemberName("error_after")]
    ErrorAfter,

    /// <summary>The connection is reset before execution.</summary>
    [JsonStringEnumMemberName("reset_before")]
    ResetBefore,

    /// <summary>The connection is reset after execution; the true answer is replayed for the key.</summary>
    [JsonStringEnumMemberName("reset_after")]
    ResetAfter,

    /// <summary>No answer, and no effect; the connection is reset after the delay.</summary>
    [JsonStringEnumMemberName("timeout_before")]
    TimeoutBefore,

    /// <summary>No answer, but the effect; the connection is reset after the delay.</summary>
    [JsonStringEnumMemberName("timeout_after")]
    TimeoutAfter,

    /// <summary>The answer's body breaks off half way, after execution.</summary>
    [JsonStringEnumMemberName("cut_body")]
    CutBody,

    /// <summary>429 with <c>rate_limit</c>, the reason header and perhaps <c>Retry-After</c>.</summary>
    [JsonStringEnumMemberName("rate_limit")]
    RateLimit,

    /// <summary>429 with <c>lock_timeout</c> and no reason header.</summary>
    [JsonStringEnumMemberName("lock_timeout")]
    LockTimeout,

    /// <summary>409 <c>idempotency_key_in_use</c>.</summary>
    [JsonStringEnumMemberName("conflict")]
    Conflict,

    /// <summary>401 with <c>api_key_expired</c>.</summary>
    [JsonStringEnumMemberName("unauthorized")]
    Unauthorized,

    /// <summary>403 for a permission that is missing.</summary>
    [JsonStringEnumMemberName("forbidden")]
    Forbidden,

    /// <summary>A read shows objects as they were the delay ago; counted only when that was no longer so.</summary>
    [JsonStringEnumMemberName("stale_read")]
    StaleRead,

    /// <summary>The request takes the delay longer, and holds its object's lock and its key meanwhile.</summary>
    [JsonStringEnumMemberName("slow")]
    Slow,

    /// <summary>The webhook is never sent.</summary>
    [JsonStringEnumMemberName("webhook_drop")]
    WebhookDrop,

    /// <summary>The webhook is sent twice.</summary>
    [JsonStringEnumMemberName("webhook_duplicate")]
    WebhookDuplicate,

    /// <summary>The webhook is held back at random up to the delay, so that later ones overtake it.</summary>
    [JsonStringEnumMemberName("webhook_reorder")]
    WebhookReorder,

    /// <summary>The webhook is held back by the delay.</summary>
    [JsonStringEnumMemberName("webhook_delay")]
    WebhookDelay,

    /// <summary>The webhook carries a signature made with a wrong secret.</summary>
    [JsonStringEnumMemberName("webhook_forge")]
    WebhookForge,
}

/// <summary>One fault: what, where, how often. All members but the kind are optional.</summary>
public sealed record FaultRule
{
    /// <summary>What goes wrong.</summary>
    [JsonPropertyName("kind")]
    public required FaultKind Kind { get; init; }

    /// <summary>
    /// The operation, such as <c>POST /v1/customers/{id}</c>, or a prefix ending in <c>*</c>; for webhooks the event
    /// type. Null means any.
    /// </summary>
    [JsonPropertyName("operation")]
    public string? Operation { get; init; }

    /// <summary>How many matching requests the fault strikes before it is spent; null means without end.</summary>
    [JsonPropertyName("next")]
    public int? Next { get; init; }

    /// <summary>How many matching requests pass before the first one is struck.</summary>
    [JsonPropertyName("skip")]
    public int Skip { get; init; }

    /// <summary>The chance that a matching request is struck, 0 to 1.</summary>
    [JsonPropertyName("probability")]
    public double Probability { get; init; } = 1;

    /// <summary>
    /// Milliseconds for the kinds that delay; null means 30,000 for time-outs and 1,000 for the others.
    /// </summary>
    [JsonPropertyName("delay_ms")]
    public int? DelayMilliseconds { get; init; }

    /// <summary>Seconds in <c>Retry-After</c> of a rate limit; null leaves the header out.</summary>
    [JsonPropertyName("retry_after")]
    public int? RetryAfterSeconds { get; init; }

    /// <summary>HTTP status of <see cref="FaultKind.ErrorBefore"/>, such as 502 or 503; null means 500.</summary>
    [JsonPropertyName("status")]
    public int? Status { get; init; }

    /// <summary>Reason header of a rate limit; null means <c>endpoint-rate</c>.</summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; init; }
}
