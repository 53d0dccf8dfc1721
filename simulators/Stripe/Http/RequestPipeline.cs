using System.Buffers;
using System.Globalization;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Limits;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>
/// Takes a request of the API from its bytes to its answer: faults, authentication, limits, idempotency, execution.
/// </summary>
internal sealed class RequestPipeline(
    Account account, StripeSimulatorOptions options, FaultPlan faults, RequestStatistics statistics)
{
    private const int BodyMax = 1024 * 1024;
    private const int TimeoutDefaultMilliseconds = 30_000;

    private readonly Authentication authentication = new(options);
    private readonly RequestExecutor executor = new(account, options);
    private readonly RateLimiter limiter = new(options.Limits, options.Time);
    private readonly HashSet<string> locked = new(StringComparer.Ordinal);

    public async Task HandleAsync(HttpContext context)
    {
        var requestId = account.Ids.Next("req_", 14);
        var path = context.Request.Path.Value ?? "/";
        var operation = OperationTable.Find(context.Request.Method, path, out var objectId);
        try
        {
            if (operation is null)
            {
                throw StripeException.UnknownUrl(context.Request.Method, path);
            }

            authentication.Check(context.Request.Headers.Authorization, operation);
            var fault = faults.ForRequest(operation.Name);
            if (await FailedBeforeAsync(context, fault))
            {
                return;
            }

            if (limiter.Enter(operation) is { } reason)
            {
                throw StripeException.RateLimited(reason);
            }

            try
            {
                var request = await ReadAsync(context, operation, objectId, requestId);
                await AnswerAsync(context, request, fault);
            }
            finally
            {
                limiter.Leave();
            }
        }
        catch (StripeException refusal)
        {
            await WriteErrorAsync(context, refusal, requestId, operation);
        }
    }

    private async Task AnswerAsync(HttpContext context, ApiRequest request, FaultRule? fault)
    {
        IdempotencyEntry? claim = null;
        if (request.IdempotencyKey is { } key)
        {
            lock (account.Gate)
            {
                claim = account.Idempotency.Claim(key, request.Path, request.Fingerprint());
            }

            context.Response.Headers["Idempotency-Key"] = key;
            if (claim.Response is { } stored)
            {
                context.Response.Headers["Idempotent-Replayed"] = "true";
                context.Response.Headers["Original-Request"] = claim.RequestId;
                statistics.Replayed();
                await WriteAsync(context, stored, request.RequestId, request.Operation);
                return;
            }
        }

        var response = await RunAsync(request, claim, fault);
        if (claim is not null)
        {
            context.Response.Headers["Original-Request"] = request.RequestId;
        }

        switch (fault?.Kind)
        {
            case FaultKind.ResetAfter:
                context.Abort();
                break;
            case FaultKind.TimeoutAfter:
                await HangAsync(context, fault);
                break;
            case FaultKind.CutBody:
                await WriteCutAsync(context, response, request);
                break;
            default:
                await WriteAsync(context, response, request.RequestId, request.Operation);
                break;
        }
    }

    /// <summary>Waits as long as the request is to take, holding the object's lock, then executes.</summary>
    private async Task<ApiResponse> RunAsync(ApiRequest request, IdempotencyEntry? claim, FaultRule? fault)
    {
        var delay = options.Latency + TimeSpan.FromMilliseconds(faults.DelayOf(request.Operation.Name));
        var lockName = request.Operation.Writes && request.ObjectId.Length > 0 ? request.ObjectId : null;
        var held = false;
        try
        {
            if (lockName is not null)
            {
                held = TryLock(lockName, delay > TimeSpan.Zero);
            }

            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, options.Time);
            }

            return Execute(request, claim, fault);
        }
        catch
        {
            Release(claim);
            throw;
        }
        finally
        {
            if (held)
            {
                lock (locked)
                {
                    locked.Remove(lockName!);
                }
            }
        }
    }

    private bool TryLock(string name, bool hold)
    {
        lock (locked)
        {
            if (locked.Contains(name))
            {
                throw StripeException.LockTimeout();
            }

            return hold && locked.Add(name);
        }
    }

    private void Release(IdempotencyEntry? claim)
    {
        if (claim is { Response: null })
        {
            lock (account.Gate)
            {
                account.Idempotency.Release(claim);
            }
        }
    }

    private ApiResponse Execute(ApiRequest request, IdempotencyEntry? claim, FaultRule? fault)
    {
        lock (account.Gate)
        {
            var transaction = new Transaction(account, request.Cause);
            ApiResponse response;
            try
            {
                response = executor.Execute(request, transaction);
                if (fault?.Kind == FaultKind.ErrorDuring)
                {
                    throw StripeException.Internal();
                }

                account.Apply(transaction);
                statistics.Written(request.Operation, transaction);
                if (fault?.Kind == FaultKind.ErrorAfter)
                {
                    throw StripeException.Internal();
                }
            }
            catch (StripeException refusal) when (refusal.Executed)
            {
                response = new ApiResponse(refusal.Status, refusal.Body(request.RequestId));
            }

            if (claim is not null)
            {
                account.Keep(claim, response, request.RequestId);
            }

            account.Journal?.Flush();

            return response;
        }
    }

    private async Task<bool> FailedBeforeAsync(HttpContext context, FaultRule? fault)
    {
        switch (fault?.Kind)
        {
            case FaultKind.ErrorBefore:
                throw StripeException.Internal(fault.Status ?? 500);
            case FaultKind.RateLimit:
                throw StripeException.RateLimited(fault.Reason ?? "endpoint-rate", fault.RetryAfterSeconds);
            case FaultKind.LockTimeout:
                throw StripeException.LockTimeout();
            case FaultKind.Conflict:
                throw StripeException.KeyInUse(context.Request.Headers["Idempotency-Key"].ToString());
            case FaultKind.Unauthorized:
                throw StripeException.Unauthorized("api_key_expired", "Expired API Key provided.");
            case FaultKind.Forbidden:
                throw StripeException.Forbidden("The provided key does not have the required permissions for this "
                    + "endpoint.");
            case FaultKind.ResetBefore:
                context.Abort();
                return true;
            case FaultKind.TimeoutBefore:
                await HangAsync(context, fault);
                return true;
            default:
                return false;
        }
    }

    private async Task HangAsync(HttpContext context, FaultRule fault)
    {
        try
        {
            var delay = TimeSpan.FromMilliseconds(fault.DelayMilliseconds ?? TimeoutDefaultMilliseconds);
            await Task.Delay(delay, options.Time, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The client has hung up, which is what the fault waits for.
        }

        context.Abort();
    }

    private async Task<ApiRequest> ReadAsync(HttpContext context, Operation operation, string objectId, string requestId)
    {
        var form = FormNode.Hash();
        if (context.Request.QueryString is { HasValue: true } query)
        {
            FormDecoder.Decode(System.Text.Encoding.UTF8.GetBytes(query.Value![1..]), form);
        }

        if (!HttpMethods.IsGet(context.Request.Method))
        {
            await ReadBodyAsync(context.Request, form);
        }

        var key = HttpMethods.IsPost(context.Request.Method) ? context.Request.Headers["Idempotency-Key"].ToString() : "";
        if (key.Length > IdempotencyStore.KeyLengthMax)
        {
            throw StripeException.Invalid(null, "Idempotency keys can be at most 255 characters long.");
        }

        return new ApiRequest
        {
            RequestId = requestId,
            Operation = operation,
            ObjectId = objectId,
            Path = context.Request.Path.Value!,
            Form = form,
            IdempotencyKey = key.Length > 0 ? key : null,
            ApiVersion = VersionOf(context),
        };
    }

    private string VersionOf(HttpContext context)
    {
        var asked = context.Request.Headers["Stripe-Version"].ToString();
        return asked.Length == 0 ? options.ApiVersion
            : asked.Length >= 10 && DateOnly.TryParseExact(
                asked.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? asked
            : throw StripeException.Invalid(null, $"Invalid Stripe API version: {asked}");
    }

    private static async Task ReadBodyAsync(HttpRequest request, FormNode form)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            if (read.Buffer.Length > BodyMax)
            {
                throw StripeException.Invalid(null, "The request body is too large.");
            }

            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            if (!read.Buffer.IsEmpty)
            {
                CheckContentType(request);
                FormDecoder.Decode(read.Buffer.IsSingleSegment ? read.Buffer.FirstSpan : read.Buffer.ToArray(), form);
            }

            reader.AdvanceTo(read.Buffer.End);
            return;
        }
    }

    private static void CheckContentType(HttpRequest request)
    {
        if (request.ContentType is { } type
            && !type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            throw StripeException.Invalid(
                "parameter_invalid_content_type",
                $"Invalid request: the content type must be application/x-www-form-urlencoded, not {type}.");
        }
    }

    private async Task WriteErrorAsync(
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

    private async Task WriteAsync(HttpContext context, ApiResponse answer, string requestId, Operation? operation)
    {
        Prepare(context, answer, requestId);
        statistics.Answered(operation, answer.Status);
        await context.Response.BodyWriter.WriteAsync(answer.Body);
    }

    private async Task WriteCutAsync(HttpContext context, ApiResponse answer, ApiRequest request)
    {
        Prepare(context, answer, request.RequestId);
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
        response.Headers.Date = account.Clock.Now.ToString("R", CultureInfo.InvariantCulture);
        response.Headers["Request-Id"] = requestId;
        var asked = context.Request.Headers["Stripe-Version"];
        response.Headers["Stripe-Version"] = asked.Count > 0 ? asked : options.ApiVersion;
    }
}
