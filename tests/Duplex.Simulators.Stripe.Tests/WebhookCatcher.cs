using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Duplex.Simulators.Stripe.Tests;

/// <summary>A real receiver of webhooks that keeps what it gets.</summary>
internal sealed class WebhookCatcher : IAsyncDisposable
{
    private readonly WebApplication host;
    private readonly SemaphoreSlim arrived = new(0);

    private WebhookCatcher(WebApplication host) => this.host = host;

    public Uri Url { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Status to answer for the next requests, in order; afterwards 200.</summary>
    public ConcurrentQueue<int> Statuses { get; } = new();

    public ConcurrentQueue<Caught> All { get; } = new();

    public static async Task<WebhookCatcher> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var host = builder.Build();
        var catcher = new WebhookCatcher(host);
        host.Run(catcher.ReceiveAsync);
        await host.StartAsync();
        var features = host.Services.GetRequiredService<IServer>().Features;
        catcher.Url = new Uri(features.Get<IServerAddressesFeature>()!.Addresses.First() + "/hook");
        return catcher;
    }

    /// <summary>Waits until so many requests have arrived in all.</summary>
    public async Task<IReadOnlyList<Caught>> WaitAsync(int count)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (All.Count < count)
        {
            await arrived.WaitAsync(deadline.Token);
        }

        return [.. All];
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(new CancellationToken(canceled: true));
        await host.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        context.Response.StatusCode = Statuses.TryDequeue(out var status) ? status : 200;
        All.Enqueue(new Caught(body.ToArray(), context.Request.Headers["Stripe-Signature"].ToString()));
        arrived.Release();
    }
}

internal sealed record Caught(byte[] Raw, string Signature)
{
    public JsonObject Event { get; } = JsonNode.Parse(Raw)!.AsObject();

    public string Type => Event["type"]!.GetValue<string>();

    public string Text => Encoding.UTF8.GetString(Raw);
}
