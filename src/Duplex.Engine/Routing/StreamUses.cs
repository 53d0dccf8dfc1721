using Duplex.Engine.Config;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>How the syncs of a model use the streams of a connection.</summary>
public static class StreamUses
{
    /// <summary>Every stream of the connection that a sync reads or writes, in the order of their names.</summary>
    public static IReadOnlyList<StreamUse> Of(EngineModel model, ConnectionModel connection)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(connection);
        var uses = new SortedDictionary<string, StreamUse>(StringComparer.Ordinal);
        foreach (var sync in model.Syncs.Values)
        {
            foreach (var side in (Side[])[Side.A, Side.B])
            {
                var here = sync.Of(side);
                if (here.Connection.Name != connection.Name || here.Connection.Tenant != connection.Tenant)
                {
                    continue;
                }

                var other = side.Other();
                var known = uses.GetValueOrDefault(here.Stream) ?? new StreamUse(here.Stream, false, false, false);
                uses[here.Stream] = new StreamUse(
                    here.Stream,
                    known.Reads || SyncRuntime.SidesThatRun(sync).Contains(side),
                    known.Writes || sync.Flows(other),
                    known.Deletes || (sync.Flows(other) && sync.Of(other).OnDelete == DeletePolicy.Propagate));
            }
        }

        return [.. uses.Values];
    }
}
