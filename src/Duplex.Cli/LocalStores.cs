using Duplex.Engine.Config;
using Duplex.Sdk;
using Duplex.Server;
using Microsoft.Extensions.Logging;

namespace Duplex.Cli;

/// <summary>Opens a configuration's stores in this process, for what can be done where no server runs on
/// them.</summary>
internal static class LocalStores
{
    /// <summary>The stores; null where a running server has them open.</summary>
    public static async Task<EmbeddedStores?> TryOpenAsync(
        EngineModel model, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        try
        {
            return await EmbeddedStores.OpenAsync(model, TimeProvider.System, loggers, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.StorageFenced)
        {
            return null;
        }
    }
}
