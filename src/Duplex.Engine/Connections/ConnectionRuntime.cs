using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Links;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Connections;

/// <summary>One connection at run time: its reader, its lane to the sink, and what its connector can do. Made once,
/// shared by syncs.</summary>
internal sealed class ConnectionRuntime : IAsyncDisposable
{
    private readonly IRecordSink _sink;
    private readonly Fetches _fetches;

    public ConnectionRuntime(ConnectionModel model, EngineParts parts, IReadOnlyList<string> streams)
    {
        Model = model;
        Streams = streams;
        Context = parts.ContextOf(model);
        Capabilities = model.Connector.Spec.Capabilities;
        _sink = model.Connector.OpenSink(Context);
        Reader = model.Connector.OpenReader(Context);
        _fetches = new Fetches(Reader, Capabilities);
        Lane = new Lane(_sink, Capabilities, parts.Clock, parts.Loggers.CreateLogger($"Duplex.Lane.{model.Name}"));
    }

    /// <summary>The configuration.</summary>
    public ConnectionModel Model { get; }

    /// <summary>The streams that syncs read or write.</summary>
    public IReadOnlyList<string> Streams { get; }

    /// <summary>What the connector was given.</summary>
    public ConnectorContext Context { get; }

    /// <summary>What the connector can do.</summary>
    public ConnectorCapabilities Capabilities { get; }

    /// <summary>Reads records as they are.</summary>
    public IRecordReader Reader { get; }

    /// <summary>Writes records.</summary>
    public Lane Lane { get; }

    /// <summary>The connection's name across tenants: its source's name in the log.</summary>
    public string Id => $"{Model.Tenant}/{Model.Name}";

    /// <summary>The topic of a stream.</summary>
    public string TopicOf(string stream) => $"{Model.Tenant}.{Model.Name}.{stream}";

    /// <summary>Reads one record as it is now; null when it does not exist.</summary>
    public Task<FetchedRecord?> FetchAsync(string stream, RecordKey key, CancellationToken cancellationToken) =>
        FormerKeys.Is(key) ? Task.FromResult<FetchedRecord?>(null) : _fetches.FetchAsync(stream, key, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Lane.DisposeAsync();
        await _fetches.DisposeAsync();
        await _sink.DisposeAsync();
        await Reader.DisposeAsync();
    }
}
