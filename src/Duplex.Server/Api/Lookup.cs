using System.Diagnostics.CodeAnalysis;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.State;
using Duplex.Server.Access;
using Duplex.Server.Problems;

namespace Duplex.Server.Api;

/// <summary>Finds what a request names, among what its caller may see, or says why not.</summary>
internal static class Lookup
{
    public const int LimitMax = 1_000;

    public static bool Sync(
        SyncEngine engine, HttpContext context, string tenant, string name,
        [NotNullWhen(true)] out SyncModel? sync, [NotNullWhen(false)] out Refusal? refusal)
    {
        refusal = null;
        var syncs = engine.Parts.Model.Syncs;
        if (syncs.TryGetValue($"{tenant}/{name}", out sync) && Caller.Of(context).Sees(sync.Tenant))
        {
            return true;
        }

        var known = syncs.Values.Where(s => Caller.Of(context).Sees(s.Tenant)).Select(static s => s.FullName).Take(20);
        refusal = Refusal.NotFound("request.unknown_sync", "name", $"There is no sync {tenant}/{name}.",
            Known("Syncs", known));
        sync = null;
        return false;
    }

    public static bool Connection(
        SyncEngine engine, HttpContext context, string tenant, string name,
        [NotNullWhen(true)] out ConnectionModel? connection, [NotNullWhen(false)] out Refusal? refusal)
    {
        refusal = null;
        var connections = engine.Parts.Model.Connections;
        if (connections.TryGetValue(name, out connection) && connection.Tenant == tenant
            && Caller.Of(context).Sees(tenant))
        {
            return true;
        }

        var known = connections.Values.Where(c => Caller.Of(context).Sees(c.Tenant))
            .Select(static c => $"{c.Tenant}/{c.Name}");
        refusal = Refusal.NotFound("request.unknown_connection", "name", $"There is no connection {tenant}/{name}.",
            Known("Connections", known.Take(20)));
        connection = null;
        return false;
    }

    public static bool Limit(int? given, out int limit, [NotNullWhen(false)] out Refusal? refusal)
    {
        limit = given ?? 100;
        refusal = limit is >= 1 and <= LimitMax
            ? null
            : Refusal.BadRequest("request.bad_value", "limit", $"limit is {limit}.",
                $"Give a whole number from 1 to {LimitMax}.");
        return refusal is null;
    }

    public static bool Side(string? given, out Side side, [NotNullWhen(false)] out Refusal? refusal)
    {
        side = given is "b" ? Engine.State.Side.B : Engine.State.Side.A;
        refusal = given is "a" or "b"
            ? null
            : Refusal.BadRequest("request.bad_value", "side", given is null ? "side is missing." : $"side is {given}.",
                "Give side=a or side=b: the side of the sync that the key belongs to.");
        return refusal is null;
    }

    private static string Known(string what, IEnumerable<string> names)
    {
        var list = string.Join(", ", names);
        return list.Length == 0 ? $"{what} are configured in duplex.yaml; there is none." : $"{what}: {list}.";
    }
}
