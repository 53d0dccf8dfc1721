using System.Diagnostics.CodeAnalysis;
using Duplex.Client;
using Duplex.Engine;
using Duplex.Server.Access;
using Duplex.Server.Problems;

namespace Duplex.Server.Api;

/// <summary>Which syncs a list covers: the one that is named, or all that the caller sees.</summary>
internal static class SyncFilter
{
    /// <summary>Whether the caller may see what belongs to the sync of the full name.</summary>
    public static bool Sees(HttpContext context, string sync) => Caller.Of(context).Sees(sync.Split('/')[0]);

    /// <summary>What the store lists for each of the syncs, newest first as one page, with the number before which the next
    /// page begins.</summary>
    public static async Task<Page<TDocument>> PageAsync<T, TDocument>(
        IReadOnlyList<string?> syncs, int most, Func<string?, ValueTask<IReadOnlyList<T>>> list, Func<T, long> number,
        Func<T, TDocument> show)
    {
        var all = new List<T>();
        foreach (var sync in syncs)
        {
            all.AddRange(await list(sync));
        }

        T[] page = [.. all.OrderByDescending(number).Take(most)];
        return new Page<TDocument>([.. page.Select(show)], page.Length == most ? number(page[^1]) : null);
    }

    /// <param name="engine">The engine.</param>
    /// <param name="context">The request.</param>
    /// <param name="given">The sync's full name, or null.</param>
    /// <param name="syncs">What to ask the store for; a single null asks for all at once.</param>
    /// <param name="refusal">Why not.</param>
    public static bool Read(
        SyncEngine engine, HttpContext context, string? given,
        out IReadOnlyList<string?> syncs, [NotNullWhen(false)] out Refusal? refusal)
    {
        refusal = null;
        var caller = Caller.Of(context);
        if (given is null)
        {
            syncs = caller.Tenant is null
                ? [null]
                : [.. engine.Parts.Model.Syncs.Values.Where(s => caller.Sees(s.Tenant)).Select(static s => s.FullName)];
            return true;
        }

        syncs = [given];
        var slash = given.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            refusal = Refusal.BadRequest("request.bad_value", "sync", $"sync is {given}, which names no tenant.",
                "Give tenant/name, e.g. sync=acme/customers.");
            return false;
        }

        return Lookup.Sync(engine, context, given[..slash], given[(slash + 1)..], out _, out refusal);
    }
}
