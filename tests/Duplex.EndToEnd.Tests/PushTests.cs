using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Duplex.EndToEnd.Tests;

/// <summary>What is posted reaches a customer's own endpoint.</summary>
public sealed class PushTests
{
    private const string Secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

    [Fact]
    public async Task What_is_posted_arrives_signed_at_the_customers_endpoint()
    {
        var received = new List<(string Signature, string Id, string Timestamp, string Body)>();
        await using var endpoint = await EndpointAsync(received);
        var address = endpoint.Urls.First();
        var folder = Directory.CreateTempSubdirectory("duplex-push-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "schemas/internal"));
            Directory.CreateDirectory(Path.Combine(folder, "mappings/global"));
            await File.WriteAllTextAsync(Path.Combine(folder, "schemas/internal/users.json"), """{"type":"object"}""");
            await File.WriteAllTextAsync(Path.Combine(folder, "mappings/global/users.yaml"), "rules: [ { a: id, b: id } ]");
            await using var server = new ServerProcess(folder, section => $$"""
                data: ./data
                {{section}}
                ingest: { schemas: ./schemas }
                customers:
                  customer-a:
                    tables: [ users ]
                    push: { url: "{{address}}/hook", secret: {{Secret}}, allow: [ 127.0.0.1 ] }
                """);
            server.Start();
            using var http = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{server.DataPort}")) };
            await UntilAsync(async () => await PostAsync(http) == HttpStatusCode.OK, server);
            await UntilAsync(() => Task.FromResult(received.Count > 0), server);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        var (signature, id, timestamp, body) = received[0];
        var mac = HMACSHA256.HashData(Convert.FromBase64String(Secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"));
        signature.ShouldBe("v1," + Convert.ToBase64String(mac));
        var webhook = JsonElement.Parse(body);
        webhook.GetProperty("type").GetString().ShouldBe("users.created");
        webhook.GetProperty("data").GetProperty("transformedData").GetProperty("id").GetInt32().ShouldBe(1);
    }

    private static async Task<WebApplication> EndpointAsync(List<(string, string, string, string)> received)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/hook", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var headers = context.Request.Headers;
            received.Add((headers["webhook-signature"].ToString(), headers["webhook-id"].ToString(),
                headers["webhook-timestamp"].ToString(), await reader.ReadToEndAsync()));
            return Results.NoContent();
        });
        await app.StartAsync();
        return app;
    }

    private static async Task<HttpStatusCode?> PostAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.PostAsync("/sync", new StringContent(
                """{"event_type":"INSERT","table":"users","event_id":"one","primary_key":{"id":1},"after":{"id":1}}"""));
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, ServerProcess server)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await condition())
        {
            deadline.IsCancellationRequested.ShouldBeFalse(server.Said);
            await tick.WaitForNextTickAsync();
        }
    }
}
