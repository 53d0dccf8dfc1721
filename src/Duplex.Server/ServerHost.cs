using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Server.Metrics;
using Microsoft.Extensions.Logging;

namespace Duplex.Server;

/// <summary>
/// One running Duplex: stores, engine and both planes. Made by <see cref="StartAsync"/>, ended by
/// <see cref="StopAsync"/>; disposing it without a stop ends it at once.
/// </summary>
public sealed class ServerHost : IAsyncDisposable
{
    private readonly EmbeddedStores _stores;
    private readonly MeterExposition _metrics;
    private readonly ServerModel _server;
    private readonly Plane _control;
    private readonly Plane _data;
    private bool _stopped;

    private ServerHost(EmbeddedStores stores, MeterExposition metrics, EngineParts parts, ServerModel server,
        ConnectorCatalog catalog)
    {
        _stores = stores;
        _metrics = metrics;
        _server = server;
        Engine = new SyncEngine(parts);
        Failed = stores.Failed;
        _control = Plane.Control(Engine, catalog, metrics, server, parts.Loggers);
        _data = Plane.Data(Engine, server, parts.Loggers);
    }

    /// <summary>The engine.</summary>
    public SyncEngine Engine { get; }

    /// <summary>
    /// Completes when a store will take nothing more in this process, such as after a failed sync of its file. Nothing
    /// is acknowledged from then on; whoever hosts the server ends the process, so that the next one starts from what
    /// is on disk.
    /// </summary>
    public Task<Sdk.SyncError> Failed { get; }

    /// <summary>Where the API, its documentation and the metrics are.</summary>
    public Uri ControlAddress => _control.Address;

    /// <summary>Where webhooks are taken.</summary>
    public Uri DataAddress => _data.Address;

    internal IReadOnlyList<RouteEndpoint> Routes => [.. _control.Routes, .. _data.Routes];

    /// <summary>Opens the stores, starts the engine and listens.</summary>
    /// <exception cref="Sdk.SyncException">The data directory is in use or unreadable, or a port is taken; nothing is
    /// left running.</exception>
    public static async Task<ServerHost> StartAsync(
        EngineModel model, ServerModel server, ConnectorCatalog catalog, ILoggerFactory loggers,
            CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        // Metrics listen before anything counts, so that nothing is missed.
        var metrics = new MeterExposition();
        EmbeddedStores? stores = null;
        ServerHost? host = null;
        try
        {
            stores = await EmbeddedStores.OpenAsync(model, clock, loggers, cancellationToken).ConfigureAwait(false);
            host = new ServerHost(stores, metrics, stores.Parts(model, clock, loggers), server, catalog);
            await host._control.StartAsync("control", "server.control_plane", cancellationToken).ConfigureAwait(false);
            // A taken port is found before the engine has touched any system.
            host._data.RequirePort("data", "server.data_plane");
            await host.Engine.StartAsync(cancellationToken).ConfigureAwait(false);
            await host._data.StartAsync("data", "server.data_plane", cancellationToken).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await (host?.DisposeAsync() ?? stores?.DisposeAsync() ?? ValueTask.CompletedTask).ConfigureAwait(false);
            metrics.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes no more webhooks, lets requests and writes in flight end within <see cref="ServerModel.StopWithin"/>, and
    /// records their outcomes. The API answers until the engine has stopped.
    /// </summary>
    public async Task StopAsync()
    {
        _stopped = true;
        using var patience = new CancellationTokenSource(_server.StopWithin);
        await _data.StopAsync(patience.Token).ConfigureAwait(false);
        await Engine.StopAsync(patience.Token).ConfigureAwait(false);
        await _control.StopAsync(patience.Token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
        {
            using var now = new CancellationTokenSource(TimeSpan.Zero);
            await _data.StopAsync(now.Token).ConfigureAwait(false);
            await _control.StopAsync(now.Token).ConfigureAwait(false);
        }

        await _data.DisposeAsync().ConfigureAwait(false);
        await _control.DisposeAsync().ConfigureAwait(false);
        await Engine.DisposeAsync().ConfigureAwait(false);
        await _stores.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
    }
}
