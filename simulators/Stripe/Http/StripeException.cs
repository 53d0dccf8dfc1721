using System.Text.Json;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>A request that ends with an error in Stripe's shape.</summary>
/// <remarks>
/// Thrown while a request is validated or executed. Whether the answer is kept under the idempotency key follows
/// from <see cref="Executed"/>: only an error raised once execution has begun is replayed.
/// </remarks>
internal sealed class StripeException(int status, string type, string? code, string message, string? param = null)
    : Exception(message)
{
    private const string InvalidRequest = "invalid_request_error";

    public int Status { get; } = status;

    public string Type { get; } = type;

    public string? Code { get; } = code;

    public string? Param { get; } = param;

    /// <summary>True when the failure happened during execution, so that its answer is stored for the key.</summary>
    public bool Executed { get; init; }

    /// <summary>Value of <c>Stripe-Rate-Limited-Reason</c>, or null.</summary>
    public string? RateLimitedReason { get; init; }

    /// <summary>Value of <c>Retry-After</c> in seconds, or null.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Value of <c>Stripe-Should-Retry</c>, or null when the header is absent.</summary>
    public bool? ShouldRetry { get; init; }

    public static StripeException Invalid(string? code, string message, string? param = null) =>
        new(400, InvalidRequest, code, message, param);

    public static StripeException Refused(string? code, string message, string? param = null) =>
        new(400, InvalidRequest, code, message, param) { Executed = true };

    public static StripeException Missing(string label, string id, string param = "id") =>
        new(param == "id" ? 404 : 400, InvalidRequest, "resource_missing", $"No such {label}: '{id}'", param);

    public static StripeException Unknown(IReadOnlyList<string> names) =>
        Invalid(
            "parameter_unknown",
            names.Count == 1
                ? $"Received unknown parameter: {names[0]}"
                : $"Received unknown parameters: {string.Join(", ", names)}",
            names[0]);

    public static StripeException Unauthorized(string? code, string message) =>
        new(401, InvalidRequest, code, message);

    public static StripeException Forbidden(string message) => new(403, InvalidRequest, null, message);

    public static StripeException UnknownUrl(string method, string path) =>
        new(404, InvalidRequest, null, $"Unrecognized request URL ({method}: {path}). Please see "
            + "https://stripe.com/docs or we can help at https://support.stripe.com/.");

    public static StripeException RateLimited(string reason, int? retryAfterSeconds = null) =>
        new(429, InvalidRequest, "rate_limit", "Request rate limit exceeded. Learn more about rate limits here "
            + "https://stripe.com/docs/rate-limits.")
        { RateLimitedReason = reason, RetryAfterSeconds = retryAfterSeconds };

    public static StripeException LockTimeout() =>
        new(429, InvalidRequest, "lock_timeout", "This object cannot be accessed right now because another API "
            + "request or Stripe process is currently accessing it. If you see this error intermittently, retry the "
            + "request. If you see this error frequently and are making multiple concurrent requests to a single "
            + "object, make your requests serially or at a lower rate.")
        { ShouldRetry = true };

    public static StripeException KeyInUse(string key) =>
        new(409, "idempotency_error", "idempotency_key_in_use", "There is currently another in-progress request "
            + "using this Stripe Idempotency Key (that probably means you submitted twice, and the other request is "
            + $"still going through): {key}. If you would like to retry, wait for it to finish.");

    public static StripeException KeyReused(string message) => new(400, "idempotency_error", null, message);

    public static StripeException Internal(int status = 500) =>
        new(status, "api_error", null, "An unknown error occurred") { Executed = true };

    /// <summary>The body of the answer: <c>{"error":{…}}</c>.</summary>
    public byte[] Body(string requestId)
    {
        using var stream = new MemoryStream(512);
        using (var writer = new Utf8JsonWriter(stream, Json.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("error");
            if (Code is not null)
            {
                writer.WriteString("code", Code);
                writer.WriteString("doc_url", "https://stripe.com/docs/error-codes/" + Code.Replace('_', '-'));
            }

            writer.WriteString("message", Message);
            if (Param is not null)
            {
                writer.WriteString("param", Param);
            }

            writer.WriteString("request_log_url", "https://dashboard.stripe.com/test/logs/" + requestId);
            writer.WriteString("type", Type);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
