using System.Globalization;
using Duplex.Engine.State;

namespace Duplex.Engine.Routing;

/// <summary>
/// Remembers the highest log offset that a leg has recorded. Its position is lower while an earlier entry is still under way; after a
/// crash what lies between is read again, and must not be taken for news.
/// </summary>
internal static class HighMarks
{
    public static StateMutation Put(LegId leg, int partition, long offset) =>
        new StateMutation.PutValue(Name(leg, partition), offset.ToString(CultureInfo.InvariantCulture));

    /// <summary>The offset above the highest that was recorded; 0 when nothing was.</summary>
    public static async ValueTask<long> ReadAsync(
        IStateStore store, LegId leg, int partition, CancellationToken cancellationToken) =>
        await store.ReadValueAsync(Name(leg, partition), cancellationToken) is { } stored
            ? long.Parse(stored, CultureInfo.InvariantCulture) + 1
            : 0;

    private static string Name(LegId leg, int partition) => $"high:{leg}:{partition}";
}
