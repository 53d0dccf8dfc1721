using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Duplex.Sdk;

namespace Duplex.Engine.Push;

/// <summary>Sends one record as one signed request and judges the answer.</summary>
internal sealed class PushSender : IPushTransport
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly PushModel _model;
    private readonly TimeProvider _clock;
    private readonly HttpClient _client;
    private readonly WebhookSecret[] _secrets;

    public PushSender(PushModel model, HttpMessageHandler handler, TimeProvider clock)
    {
        _model = model;
        _clock = clock;
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Duplex", null));
        _secrets = [.. model.Secrets.Select(static s => WebhookSecret.TryParse(s, out var secret) ? secret
            : throw new SyncException(ErrorCode.ConfigInvalid, "A webhook secret cannot be read."))];
    }

    public async Task<PushOutcome> SendAsync(PushMessage message, CancellationToken cancellationToken)
    {
        using var request = RequestOf(message);
        using var patience = new CancellationTokenSource(_model.Timeout, _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token)
                .ConfigureAwait(false);
            return Judge(response);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new PushOutcome(PushResult.Failed,
                string.Create(CultureInfo.InvariantCulture, $"No answer within {_model.Timeout.TotalSeconds:0.#} s."));
        }
        catch (SyncException e)
        {
            return new PushOutcome(PushResult.Failed, e.Error.Message);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return new PushOutcome(PushResult.Failed, Cause(e));
        }
    }

    public void Dispose() => _client.Dispose();

    private HttpRequestMessage RequestOf(PushMessage message)
    {
        var id = message.Id;
        var seconds = _clock.GetUtcNow().ToUnixTimeSeconds();
        var body = message.Body();
        var request = new HttpRequestMessage(HttpMethod.Post, _model.Url)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = Json } },
        };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", seconds.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSecret.Sign(Secrets(), id, seconds, body));
        return request;
    }

    private IReadOnlyList<WebhookSecret> Secrets() =>
        _model.FormerSecretUntil is { } until && _clock.GetUtcNow() >= until ? [_secrets[0]] : _secrets;

    private PushOutcome Judge(HttpResponseMessage response)
    {
        var asked = AskedFor(response.Headers.RetryAfter);
        var error = $"The endpoint answered {(int)response.StatusCode}.";
        return (int)response.StatusCode switch
        {
            >= 200 and < 300 => new PushOutcome(PushResult.Taken),
            410 => new PushOutcome(PushResult.Gone, error),
            429 => new PushOutcome(PushResult.Throttled, error, asked),
            503 when asked is not null => new PushOutcome(PushResult.Throttled, error, asked),
            502 or 504 => new PushOutcome(PushResult.Overloaded, error, asked),
            >= 300 and < 400 => new PushOutcome(PushResult.Failed, $"{error} Redirects are not followed.", asked),
            _ => new PushOutcome(PushResult.Failed, error, asked),
        };
    }

    /// <summary>Seconds or a date, as far as it is to be believed.</summary>
    private TimeSpan? AskedFor(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - _clock.GetUtcNow() : null);
        return wait is { } asked
            ? TimeSpan.FromSeconds(Math.Clamp(asked.TotalSeconds, 1, _model.RetryAfterMax.TotalSeconds))
            : null;
    }

    private static string Cause(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case AuthenticationException:
                    return $"TLS failed: {inner.Message}";
                case SocketException socket:
                    return $"The connection failed: {socket.SocketErrorCode}.";
            }
        }

        return e is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http
            ? $"The request failed: {http.HttpRequestError}."
            : $"The request failed: {e.Message}";
    }
}
