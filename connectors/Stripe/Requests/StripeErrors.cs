using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Requests;

/// <summary>From what Stripe answers to what the engine acts on.</summary>
internal static class StripeErrors
{
    /// <summary>The failure that a reply means to a sink; null when the request was done.</summary>
    public static SyncError? Of(StripeRequest request, StripeReply reply)
    {
        var document = Parse(reply);
        if (reply.Status is >= 200 and < 300)
        {
            return document is { ValueKind: JsonValueKind.Object }
                ? null
                : Foreign(request, reply);
        }

        var error = document is { ValueKind: JsonValueKind.Object } root
            && root.TryGetProperty("error", out var e) && e.ValueKind == JsonValueKind.Object ? e : default;
        var vendor =
            new VendorError(Text(error, "type"), Text(error, "code"), Text(error, "param"), Text(error, "message"));
        if (error.ValueKind == JsonValueKind.Undefined
            && reply.Status is < 500 and not (401 or 403 or 408 or 409 or 425 or 429))
        {
            return Foreign(request, reply);
        }

        var code = CodeOf(request, reply, vendor);
        return new SyncError(code, Sentence(request, reply, vendor, code), PathOf(vendor.Param),
            Fix(code, reply, vendor),
            reply.RetryAfter, Detail(reply, vendor));
    }

    /// <summary>The same failure, met while reading.</summary>
    public static SyncError AsSource(SyncError error) => error with
    {
        Code = error.Code switch
        {
            ErrorCode.SinkUnauthorized => ErrorCode.SourceUnauthorized,
            ErrorCode.SinkUnavailable or ErrorCode.SinkFailed or ErrorCode.SinkRateLimited or ErrorCode.SinkBusy =>
                ErrorCode.SourceUnavailable,
            _ => ErrorCode.SourceMisconfigured,
        },
    };

    private static ErrorCode CodeOf(StripeRequest request, StripeReply reply, VendorError vendor) => reply.Status switch
    {
        401 or 403 => ErrorCode.SinkUnauthorized,
        429 => vendor.Code == "lock_timeout" && reply.LimitReason is null
            ? ErrorCode.SinkBusy : ErrorCode.SinkRateLimited,
        409 => reply.ShouldRetry == false ? ErrorCode.SinkRejected : ErrorCode.SinkBusy,
        408 or 425 => ErrorCode.SinkUnavailable,
        // A stored failure is replayed for as long as the key lives, so the same key cannot succeed any more.
        >= 500 => reply.Replayed || reply.ShouldRetry == false ? ErrorCode.SinkFailed : ErrorCode.SinkUnavailable,
        _ => OfRefusal(request, reply, vendor),
    };

    private static ErrorCode OfRefusal(StripeRequest request, StripeReply reply, VendorError vendor) => vendor switch
    {
        { Code: "lock_timeout" or "idempotency_key_in_use" } => ErrorCode.SinkBusy,
        { Code: "rate_limit" } or { Type: "rate_limit_error" } => ErrorCode.SinkRateLimited,
        { Type: "idempotency_error" } => ErrorCode.SinkKeyReused,
        { Code: "resource_already_exists" } => ErrorCode.SinkExists,
        { Code: "resource_missing" } when reply.Status == 404 && IsTarget(request, vendor.Param) => ErrorCode.SinkGone,
        // An address that Stripe does not have means a wrong base address, not a wrong record.
        { Code: null } when reply.Status is 404 or 405 => ErrorCode.SinkUnavailable,
        _ when reply.ShouldRetry == true => ErrorCode.SinkUnavailable,
        _ => ErrorCode.SinkRejected,
    };

    private static bool IsTarget(StripeRequest request, string? param) =>
        request.Target is not null && (param is null or "id" || param == request.Target);

    private static SyncError Foreign(StripeRequest request, StripeReply reply) => new(
        ErrorCode.SinkUnavailable,
        $"{request.Operation} was answered {reply.Status} by something that is not Stripe's API; its outcome is unknown.",
        Suggestion: "Check base_url, and any proxy between here and Stripe.",
        RetryAfter: reply.RetryAfter,
        Detail: reply.RequestId);

    private static string Sentence(StripeRequest request, StripeReply reply, VendorError vendor, ErrorCode code)
    {
        var what = vendor.Code ?? vendor.Type ?? "no reason given";
        var about = vendor.Param is null ? "" : $" about {vendor.Param}";
        return code switch
        {
            ErrorCode.SinkRateLimited => $"Stripe limits {request.Operation} ({reply.LimitReason ?? what}).",
            ErrorCode.SinkUnauthorized => $"Stripe refuses the key for {request.Operation}: {reply.Status} {what}.",
            _ => $"Stripe answered {request.Operation} with {reply.Status} {what}{about}.",
        };
    }

    private static string? Fix(ErrorCode code, StripeReply reply, VendorError vendor) => code switch
    {
        ErrorCode.SinkUnauthorized when reply.Status == 403 =>
            "Grant the restricted key this permission in Stripe's dashboard.",
        ErrorCode.SinkUnauthorized when vendor.Code == "api_key_expired" =>
            "The key has expired: make another one and set api_key.",
        ErrorCode.SinkUnauthorized => "Set api_key to a valid secret key of this account.",
        ErrorCode.SinkRejected when vendor.Param is not null =>
            $"Correct the mapping or the value of {PathOf(vendor.Param)}.",
        _ => null,
    };

    private static string? Detail(StripeReply reply, VendorError vendor) => (vendor.Message, reply.RequestId) switch
    {
        (null, var id) => id,
        (var message, null) => message,
        var (message, id) => $"{message} ({id})",
    };

    /// <summary><c>address[city]</c> as a record's path reads: <c>address.city</c>.</summary>
    private static string? PathOf(string? param) => param?.Replace("]", "", StringComparison.Ordinal).Replace('[', '.');

    private static string? Text(JsonElement error, string name) =>
        error.ValueKind == JsonValueKind.Object && error.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? Parse(StripeReply reply)
    {
        try
        {
            return reply.Record.Root;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record VendorError(string? Type, string? Code, string? Param, string? Message);
}
