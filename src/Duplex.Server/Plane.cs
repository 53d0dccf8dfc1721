using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Sdk;
using Duplex.Server.Access;
using Duplex.Server.Api;
using Duplex.Server.Feeds;
using Duplex.Server.Ingest;
using Duplex.Server.Metrics;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;
using Duplex.Server.Webhooks;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Duplex.Server;

/// <summary>One listener with its own limits: the data plane or the control plane.</summary>
internal sealed class Plane : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly IPEndPoint _endpoint;

    private Plane(WebApplication app, IPEndPoint endpoint) => (_app, _endpoint) = (app, endpoint);

    public Uri Address { get; private set; } = null!;

    /// <summary>Every route that the plane serves.</summary>
    public IReadOnlyList<RouteEndpoint> Routes =>
        [.. _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    public static Plane Data(SyncEngine engine, ServerModel server, ILoggerFactory loggers)
    {
        var builder = Builder(engine, server, loggers, server.DataPlane);
        var app = builder.Build();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseRouting();
        HealthEndpoints.Map(app);
        WebhookEndpoints.Map(app);
        FeedEndpoints.MapData(app, server);
        IngestEndpoints.Map(app, engine, server);
        return new Plane(app, server.DataPlane);
    }

    public static Plane Control(
        SyncEngine engine, ConnectorCatalog catalog, MeterExposition metrics, ServerModel server,
            ILoggerFactory loggers)
    {
        var builder = Builder(engine, server, loggers, server.ControlPlane);
        builder.Services.AddSingleton(catalog).AddSingleton(metrics);
        ApiDocument.Add(builder.Services, server);
        var app = builder.Build();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseMiddleware<AccessGuard>();
        app.UseRouting();
        app.UseSwaggerUI(static ui =>
        {
            ui.RoutePrefix = "docs";
            ui.SwaggerEndpoint("/openapi/v1.json", "Duplex");
            ui.DocumentTitle = "Duplex API";
        });
        app.MapOpenApi();
        HealthEndpoints.Map(app);
        HealthEndpoints.MapMetrics(app);
        StatusEndpoints.Map(app);
        ConnectionEndpoints.Map(app);
        SyncEndpoints.Map(app);
        DeadLetterEndpoints.Map(app);
        ConflictEndpoints.Map(app);
        FeedEndpoints.Map(app);
        CustomerEndpoints.Map(app);
        MappingEndpoints.Map(app);
        ReplayEndpoints.Map(app);
        PushEndpoints.Map(app);
        SchemaEndpoints.Map(app);
        return new Plane(app, server.ControlPlane);
    }

    /// <summary>Fails if the plane could not listen, without listening yet.</summary>
    public void RequirePort(string name, string setting)
    {
        using var probe = new Socket(_endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(_endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw Taken(name, setting, e);
        }
        catch (SocketException e)
        {
            throw new SyncException(ErrorCode.ConfigInvalid,
                $"The {name} plane cannot listen on {_endpoint}: {e.Message}.",
                $"Name an address of this machine and a port that you may use with {setting}.", e);
        }
    }

    public async Task StartAsync(string name, string setting, CancellationToken cancellationToken)
    {
        RequirePort(name, setting);
        try
        {
            await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw Taken(name, setting, e);
        }

        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        Address = new Uri(addresses!.Addresses.First());
    }

    /// <summary>Takes no more connections, and waits for the requests in flight.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private SyncException Taken(string name, string setting, Exception cause) => new(ErrorCode.ConfigInvalid,
        $"The port of the {name} plane is taken by another program: {_endpoint} is in use.",
        $"Stop that program, or choose another port with {setting}.", cause);

    private static WebApplicationBuilder Builder(
        SyncEngine engine, ServerModel server, ILoggerFactory loggers, IPEndPoint endpoint)
    {
        var builder =
            WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Duplex.Server" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = server.BodyBytesMax;
            kestrel.Limits.MaxConcurrentConnections = 2_000;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Listen(endpoint, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(loggers).AddSingleton(engine).AddSingleton(server).AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = server.StopWithin);
        builder.Services.Configure<RouteHandlerOptions>(static routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(static json =>
        {
            DuplexJson.Apply(json.SerializerOptions);
            // A member that nothing reads is a mistake of the caller's that must not pass for done.
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        });
        return builder;
    }

    /// <summary>Leaves signals to the process that hosts the planes.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
