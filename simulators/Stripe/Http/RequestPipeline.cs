using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Limits;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>
/// Takes a request of the API from its bytes to its answer: faults, authentication, limits, idempotency, execution.
/// </summary>
internal sealed class RequestPipeline(
    Account account, RequestExecutor executor, StripeSimulatorOptions options, FaultPlan faults,
    RequestStatistics statistics)
{
    private const int TimeoutDefaultMilliseconds = 30_000;
    private const int LagDefaultMilliseconds = 1000;

    private readonly Authentication authentication = new(options);
    private readonly ResponseWriter writer = new(account.Clock, options, statistics);
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
            if (await FailedBeforeAsync(context, fault, operation))
            {
                return;
            }

            if (limiter.Enter(operation) is { } reason)
            {
                throw StripeException.RateLimited(reason);
            }

            try
            {
                var request = await RequestReader.ReadAsync(context, operation, objectId, requestId);
                options.RequestRead?.Invoke(operation.Name, name => request.Form.Field(name)?.Text);
                await AnswerAsync(context, request, fault);
            }
            finally
            {
                limiter.Leave();
            }
        }
        catch (StripeException refusal)
        {
            await writer.WriteErrorAsync(context, refusal, requestId, operation);
        }
        catch (Exception bug) when (!context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            var shown = new StripeException(500, "api_error", "simulator_bug", bug.ToString());
            await writer.WriteErrorAsync(context, shown, requestId, operation);
        }
    }

    private async Task AnswerAsync(HttpContext context, ApiRequest request, FaultRule? fault)
    {
        var claim = Claim(request);
        var headers = context.Response.Headers;
        var response = claim?.Response;
        if (response is null)
        {
            response = await RunAsync(request, claim, fault);
        }
        else
        {
            headers["Idempotent-Replayed"] = "true";
            statistics.Replayed();
        }

        if (claim is not null)
        {
            headers["Idempotency-Key"] = claim.Key;
            headers["Original-Request"] = claim.RequestId;
        }

        switch (fault?.Kind)
        {
            case FaultKind.ResetAfter:
                Drop(context, request.Operation);
                break;
            case FaultKind.TimeoutAfter:
                await HangAsync(context, fault, request.Operation);
                break;
            case FaultKind.CutBody:
                await writer.WriteCutAsync(context, response, request);
                break;
            default:
                await writer.WriteAsync(context, response, request.RequestId, request.Operation);
                break;
        }
    }

    private IdempotencyEntry? Claim(ApiRequest request)
    {
        if (request.IdempotencyKey is not { } key)
        {
            return null;
        }

        var fingerprint = request.Fingerprint();
        lock (account.Gate)
        {
            return account.Idempotency.Claim(key, request.Path, fingerprint);
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
            if (fault?.Kind == FaultKind.StaleRead && !request.Operation.Writes)
            {
                request.Lag = account.Past.Read(
                    TimeSpan.FromMilliseconds(fault.DelayMilliseconds ?? LagDefaultMilliseconds),
                    () => faults.Struck(FaultKind.StaleRead));
            }

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

    private async Task<bool> FailedBeforeAsync(HttpContext context, FaultRule? fault, Operation operation)
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
                Drop(context, operation);
                return true;
            case FaultKind.TimeoutBefore:
                await HangAsync(context, fault, operation);
                return true;
            default:
                return false;
        }
    }

    private async Task HangAsync(HttpContext context, FaultRule fault, Operation operation)
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

        Drop(context, operation);
    }

    private void Drop(HttpContext context, Operation operation)
    {
        statistics.Answered(operation, RequestStatistics.NoAnswer);
        context.Abort();
    }
}
