using System.Text.Json;
using Duplex.Engine.State;

namespace Duplex.Engine.Routing;

/// <summary>
/// Remembers, per side of a sync, that its existing records were indexed, and up to which log offset of each partition.
/// Absent while the first sync is still reading.
/// </summary>
internal static class IndexMarks
{
    public static async ValueTask<Dictionary<int, long>?> ReadAsync(
        SyncContext sync, Side side, CancellationToken cancellationToken) =>
        await sync.Store.ReadValueAsync(Name(sync, side), cancellationToken) is { } stored
            ? JsonSerializer.Deserialize<Dictionary<int, long>>(stored)
            : null;

    public static StateMutation Put(SyncContext sync, Side side, Dictionary<int, long> barriers) =>
        new StateMutation.PutValue(Name(sync, side), JsonSerializer.Serialize(barriers));

    private static string Name(SyncContext sync, Side side) => $"indexed:{sync.Name}:{side.Letter()}";
}
