using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Duplex.Push.Tests;

/// <summary>A webhook that arrived.</summary>
internal sealed record Arrival(string Id, long Seconds, string Signature, byte[] Body)
{
    private readonly JsonElement _json = JsonDocument.Parse(Body).RootElement;

    public JsonElement Json => _json;

    public JsonElement Data => _json.GetProperty("data");

    public long Offset => Data.GetProperty("offset").GetInt64();

    public string Key => Data.GetProperty("key")[0].GetString()!;

    /// <summary>
    /// Whether one of the signatures is what Standard Webhooks says: base64 of HMAC-SHA256, under the base64-decoded rest of
    /// the secret, over <c>id.timestamp.body</c>.
    /// </summary>
    public bool IsSignedWith(string secret)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        byte[] content = [.. Encoding.ASCII.GetBytes(Id), (byte)'.',
            .. Encoding.ASCII.GetBytes(Seconds.ToString(CultureInfo.InvariantCulture)), (byte)'.', .. Body];
        using var hmac = new HMACSHA256(key);
        var expected = hmac.ComputeHash(content);
        return Signature.Split(' ').Any(s => s.Split(',') is ["v1", var text]
            && CryptographicOperations.FixedTimeEquals(Convert.FromBase64String(text), expected));
    }
}

/// <summary>A customer's endpoint on loopback, which answers as the test says and keeps what arrived.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Func<Arrival, HttpContext, Task> _answer;
    private int _underWay;
    private int _underWayMost;

    private Receiver(Func<Arrival, HttpContext, Task> answer, X509Certificate2? certificate)
    {
        _answer = answer;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l =>
        {
            l.Protocols = HttpProtocols.Http1;
            if (certificate is not null)
            {
                l.UseHttps(certificate);
            }
        }));
        _app = builder.Build();
        _app.MapPost("/hook", ReceiveAsync);
    }

    /// <summary>Every request, in the order of arrival.</summary>
    public ConcurrentQueue<Arrival> Arrivals { get; } = new();

    /// <summary>The requests that were answered 2xx, in the order of the answers.</summary>
    public ConcurrentQueue<Arrival> Taken { get; } = new();

    public Uri Url => new($"{_app.Urls.First()}/hook");

    /// <summary>The most requests at once so far.</summary>
    public int UnderWayMost => Volatile.Read(ref _underWayMost);

    public static Task<Receiver> StartAsync() => StartAsync(static (_, _) => Task.CompletedTask);

    public static Task<Receiver> StartAsync(Func<Arrival, int> status) => StartAsync((arrival, context) =>
    {
        context.Response.StatusCode = status(arrival);
        return Task.CompletedTask;
    });

    public static async Task<Receiver> StartAsync(
        Func<Arrival, HttpContext, Task> answer, X509Certificate2? certificate = null)
    {
        var receiver = new Receiver(answer, certificate);
        await receiver._app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(hurry.Token);
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var now = Interlocked.Increment(ref _underWay);
        for (var most = UnderWayMost; now > most; most = UnderWayMost)
        {
            Interlocked.CompareExchange(ref _underWayMost, now, most);
        }

        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var headers = context.Request.Headers;
            var arrival = new Arrival(headers["webhook-id"].Single()!,
                long.Parse(headers["webhook-timestamp"].Single()!, CultureInfo.InvariantCulture),
                headers["webhook-signature"].Single()!, body.ToArray());
            Arrivals.Enqueue(arrival);
            await _answer(arrival, context);
            if (context.Response.StatusCode is >= 200 and < 300)
            {
                Taken.Enqueue(arrival);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }
}
