using System.Globalization;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Writes answers with the headers that every one carries.</summary>
internal sealed class ResponseWriter(
    SimulatedClock clock, StripeSimulatorOptions options, RequestStatistics statistics)
{
    /// <summary>Answers with an error and the headers that belong to it.</summary>
    public async Task WriteErrorAsync(
        HttpContext context, StripeException refusal, string requestId, Operation? operation)
    {
        var headers = context.Response.Headers;
        if (refusal.RateLimitedReason is { } reason)
        {
            headers["Stripe-Rate-Limited-Reason"] = reason;
        }

        if (refusal.RetryAfterSeconds is { } seconds)
        {
            headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (refusal.ShouldRetry is { } retry)
        {
            headers["Stripe-Should-Retry"] = retry ? "true" : "false";
        }

        if (refusal.Status == 401)
        {
            headers.WWWAuthenticate = "Bearer realm=\"Stripe\"";
        }

        await WriteAsync(context, new ApiResponse(refusal.Status, refusal.Body(requestId)), requestId, operation);
    }

    public async Task WriteAsync(HttpContext context, ApiResponse answer, string requestId, Operation? operation)
    {
        Prepare(context, answer, requestId);
        statistics.Answered(operation, answer.Status);
        await context.Response.BodyWriter.WriteAsync(answer.Body);
    }

    /// <summary>Sends half of the answer and breaks the connection.</summary>
    public async Task WriteCutAsync(HttpContext context, ApiResponse answer, ApiRequest request)
    {
        Prepare(context, answer, request.RequestId);
        statistics.Answered(request.Operation, RequestStatistics.NoAnswer);
        await context.Response.BodyWriter.WriteAsync(answer.Body[..(answer.Body.Length / 2)]);
        context.Abort();
    }

    private void Prepare(HttpContext context, ApiResponse answer, string requestId)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = "application/json";
        response.ContentLength = answer.Body.Length;
        response.Headers.CacheControl = "no-cache, no-store";
        response.Headers.Date = clock.Now.ToString("R", CultureInfo.InvariantCulture);
        response.Headers["Request-Id"] = requestId;
        var asked = context.Request.Headers["Stripe-Version"];
        response.Headers["Stripe-Version"] = asked.Count > 0 ? asked : options.ApiVersion;
    }
}
