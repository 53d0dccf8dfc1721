using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Duplex.DynamoDb.Tests;

/// <summary>
/// Carries requests to dynalite and does what the real service does under load: leaves part of a batch unprocessed,
/// throttles, or loses answers of requests that it has done. Which ones is told per request.
/// </summary>
internal sealed class FaultyWire(FaultyWire.Faults faults) : DelegatingHandler(new SocketsHttpHandler())
{
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var operation = request.Headers.TryGetValues("X-Amz-Target", out var values)
            ? values.First().Split('.')[1]
            : "";
        switch (faults.Next(operation))
        {
            case Fault.Throttle:
                return Answer(HttpStatusCode.BadRequest, """
                    {"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"No"}
                    """);
            case Fault.LeaveHalf when operation == "BatchWriteItem":
                return await SendHalfAsync(request, cancellationToken);
            case Fault.LoseAnswer:
                using (await base.SendAsync(request, cancellationToken))
                {
                    throw new HttpRequestException("The connection was reset after the request was done.");
                }

            case Fault.Refuse:
                throw new HttpRequestException("The connection was refused.");
            default:
                return await base.SendAsync(request, cancellationToken);
        }
    }

    private async Task<HttpResponseMessage> SendHalfAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!;
        var (table, writes) = body["RequestItems"]!.AsObject().First();
        var items = writes!.AsArray().Select(static w => w!.DeepClone()).ToArray();
        var kept = (items.Length + 1) / 2;
        body["RequestItems"] = new JsonObject { [table] = new JsonArray(items[..kept]) };
        var half = new HttpRequestMessage(request.Method, request.RequestUri);
        foreach (var header in request.Headers)
        {
            half.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        half.Content = new StringContent(body.ToJsonString(), Encoding.UTF8);
        half.Content.Headers.ContentType = request.Content.Headers.ContentType;
        using var answer = await base.SendAsync(half, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return Answer(HttpStatusCode.OK, new JsonObject
        {
            ["UnprocessedItems"] = items.Length == kept
                ? new JsonObject()
                : new JsonObject { [table] = new JsonArray(items[kept..]) },
        }.ToJsonString());
    }

    private static HttpResponseMessage Answer(HttpStatusCode status, string json) => new(status)
    {
        Content = new StringContent(json, Encoding.UTF8, "application/x-amz-json-1.0"),
    };

    internal enum Fault
    {
        None,
        Throttle,
        LeaveHalf,
        LoseAnswer,
        Refuse,
    }

    /// <summary>Decides what happens to each request, and counts it.</summary>
    internal sealed class Faults(Func<string, int, Fault> decide)
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, int> _seen = [];
        private readonly Dictionary<Fault, int> _done = [];

        public int Done(Fault fault)
        {
            lock (_gate)
            {
                return _done.GetValueOrDefault(fault);
            }
        }

        public Fault Next(string operation)
        {
            lock (_gate)
            {
                var number = _seen[operation] = _seen.GetValueOrDefault(operation) + 1;
                var fault = decide(operation, number);
                _done[fault] = _done.GetValueOrDefault(fault) + 1;
                return fault;
            }
        }
    }
}
