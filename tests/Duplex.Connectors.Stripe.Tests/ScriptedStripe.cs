using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Duplex.Connectors.Stripe.Tests;

/// <summary>Answers each request with what the test says, for answers that no healthy server gives.</summary>
internal sealed class ScriptedStripe(Func<HttpRequestMessage, string, HttpResponseMessage> answer) : HttpMessageHandler
{
    public ConcurrentQueue<(string Method, string PathAndQuery, string Body,
        string? IdempotencyKey)> Requests { get; } = [];

    public static HttpResponseMessage Reply(int status, string body, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        response.Headers.TryAddWithoutValidation("Request-Id", "req_1");
        foreach (var (name, value) in headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request,
        CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Requests.Enqueue((request.Method.Method, request.RequestUri!.PathAndQuery, body,
            request.Headers.TryGetValues("Idempotency-Key", out var keys) ? keys.Single() : null));
        return answer(request, body);
    }
}
