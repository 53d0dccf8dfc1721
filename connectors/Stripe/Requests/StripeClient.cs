using System.Net;
using System.Net.Http.Headers;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Requests;

/// <summary>
/// Sends requests to one account, each within the rate budget, and classifies what comes back. Nothing is thrown for a
/// failed request but the caller's own cancellation. Safe to use from many tasks at once.
/// </summary>
internal sealed class StripeClient : IDisposable
{
    private const int BodyBytesMax = 64 << 20;
    private static readonly TimeSpan RetryAfterMax = TimeSpan.FromHours(1);
    private static readonly TimeSpan RetryDelayMax = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly RatePlan _rates;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _timeout;
    private readonly string _base;

    public StripeClient(ConnectorContext context)
    {
        var settings = context.Settings;
        _clock = context.Clock;
        _timeout = settings.Get(StripeSettings.RequestTimeout);
        _base = settings.Get(StripeSettings.BaseUrl).TrimEnd('/');
        _rates = new RatePlan(context);
        _http = new HttpClient(context.HttpHandler?.Invoke() ?? DefaultHandler())
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = BodyBytesMax,
        };
        var headers = _http.DefaultRequestHeaders;
        headers.TryAddWithoutValidation("Authorization", $"Bearer {settings.Get(StripeSettings.ApiKey)}");
        headers.TryAddWithoutValidation("Stripe-Version", settings.Get(StripeSettings.ApiVersion));
        headers.TryAddWithoutValidation("User-Agent", "Duplex");
        if (settings.Get(StripeSettings.Account) is { Length: > 0 } account)
        {
            headers.TryAddWithoutValidation("Stripe-Account", account);
        }
    }

    /// <summary>Sends once.</summary>
    public async Task<StripeReply> SendAsync(StripeRequest request, CancellationToken cancellationToken)
    {
        await _rates.AcquireAsync(request.Operation, cancellationToken);
        var started = _clock.GetTimestamp();
        using var deadline = new CancellationTokenSource(_timeout, _clock);
        using var stop = cancellationToken.UnsafeRegister(static d => ((CancellationTokenSource)d!).Cancel(), deadline);
        try
        {
            using var message = Message(request);
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseContentRead, deadline.Token);
            var body = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            return Classified(request, Read(response, body, _clock.GetElapsedTime(started)));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Unanswered(request, $"gave no answer within {Durations.Format(_timeout)}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Unanswered(request, e is HttpRequestException { HttpRequestError: var kind }
                ? $"failed: {kind}" : "failed", e.Message);
        }
    }

    /// <summary>Reads, and waits out what passes by itself.</summary>
    /// <param name="request">A GET.</param>
    /// <param name="attempts">How often it is tried at most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<StripeReply> ReadAsync(StripeRequest request, int attempts, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var reply = await SendAsync(request, cancellationToken);
            if (reply.Done || attempt >= attempts || !Passes(reply.Error.Code))
            {
                return reply;
            }

            var delay = reply.RetryAfter ?? TimeSpan.FromSeconds(0.5 * (1 << Math.Min(attempt - 1, 4)));
            await Task.Delay(delay < RetryDelayMax ? delay : RetryDelayMax, _clock, cancellationToken);
        }
    }

    public void Dispose() => _http.Dispose();

    private static bool Passes(ErrorCode code) => code is ErrorCode.SinkUnavailable or ErrorCode.SinkFailed
        or ErrorCode.SinkRateLimited or ErrorCode.SinkBusy;

    private static SocketsHttpHandler DefaultHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.All,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(10),
    };

    private HttpRequestMessage Message(StripeRequest request)
    {
        var message = new HttpRequestMessage(request.Method, _base + request.Path);
        if (request.Form is not null)
        {
            message.Content = new ReadOnlyMemoryContent(request.Form.Bytes);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", "application/x-www-form-urlencoded");
        }

        if (request.IdempotencyKey is not null)
        {
            message.Headers.TryAddWithoutValidation("Idempotency-Key", request.IdempotencyKey);
        }

        return message;
    }

    private StripeReply Read(HttpResponseMessage response, byte[] body, TimeSpan elapsed) => new()
    {
        Elapsed = elapsed,
        Status = (int)response.StatusCode,
        Body = body,
        RequestId = Header(response, "Request-Id"),
        ServerSeconds = response.Headers.Date?.ToUnixTimeSeconds() ?? 0,
        Replayed = Header(response, "Idempotent-Replayed") == "true",
        ShouldRetry = bool.TryParse(Header(response, "Stripe-Should-Retry"), out var should) ? should : null,
        RetryAfter = RetryAfter(response.Headers.RetryAfter),
        LimitReason = Header(response, "Stripe-Rate-Limited-Reason"),
    };

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - _clock.GetUtcNow() : null);
        return wait switch
        {
            null => null,
            { Ticks: < 0 } => TimeSpan.Zero,
            var w when w > RetryAfterMax => RetryAfterMax,
            _ => wait,
        };
    }

    private StripeReply Classified(StripeRequest request, StripeReply reply)
    {
        var error = StripeErrors.Of(request, reply);
        if (error?.Code == ErrorCode.SinkRateLimited)
        {
            _rates.HoldBack(request.Operation, reply.LimitReason, reply.RetryAfter);
        }

        return error is null ? reply : reply with { Error = error };
    }

    private static StripeReply Unanswered(StripeRequest request, string how, string? detail = null) => new()
    {
        Error = new SyncError(ErrorCode.SinkUnavailable, $"{request.Operation} {how}; its outcome is unknown.",
            Detail: detail),
    };

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
