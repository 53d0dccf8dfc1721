using Duplex.Connectors.Postgres.Capture.PgOutput;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// Completes the log's description of a table with what only the catalog knows: the order of the key's columns and the
/// types that are not built in. Asked once per table and shape.
/// </summary>
internal sealed class RelationSource(CaptureOptions options, IReadOnlyCollection<string> streams)
{
    private readonly TypeCatalog _types = new();
    private readonly Dictionary<TableName, string> _streams =
        streams.ToDictionary(static s => TableName.Parse(s), static s => s);

    /// <summary>Prepares the layout of a table.</summary>
    /// <param name="message">The table as the log describes it.</param>
    /// <param name="previous">The layout that was in force; null for the first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<RelationLayout> PrepareAsync(
        RelationMessage message, RelationLayout? previous, CancellationToken cancellationToken)
    {
        if (!_streams.TryGetValue(new TableName(message.Schema, message.Table), out var stream))
        {
            return new RelationLayout(message, null, [], [], options.Connection);
        }

        await using var connection = await options.Sql.OpenConnectionAsync(cancellationToken);
        await _types.LoadAsync(connection, message.Columns.Select(static c => c.Type), cancellationToken);
        var table = await TableCatalog.LoadAsync(
            connection, _types, TableName.Parse(stream), cancellationToken);
        var key = FindKey(message, previous, table?.Oid == message.Oid ? table : null, stream);
        return new RelationLayout(
            message, stream, [.. message.Columns.Select(c => _types[c.Type])], key, options.Connection);
    }

    /// <summary>
    /// The key's columns. The catalog is ahead of the log, so its names count only where the log has them too;
    /// otherwise the identity's columns are the key, or the columns at the places that the key had before a rename.
    /// </summary>
    private int[] FindKey(RelationMessage message, RelationLayout? previous, TableSchema? table, string stream)
    {
        int Find(string name)
        {
            for (var i = 0; i < message.Columns.Count; i++)
            {
                if (message.Columns[i].Name == name)
                {
                    return i;
                }
            }

            return -1;
        }

        int[] named = table is null ? [] : [.. table.Key.Select(k => Find(k.Name))];
        if (named.Length > 0 && named.All(i => i >= 0 && message.Columns[i].InIdentity))
        {
            return named;
        }

        int[] identity = [.. Enumerable.Range(0, message.Columns.Count).Where(i => message.Columns[i].InIdentity)];
        if (message.Identity == 'd' && identity.Length > 0)
        {
            return previous?.Key.Order().SequenceEqual(identity) == true ? previous.Key : identity;
        }

        if (previous is not null && previous.Message.Columns.Count == message.Columns.Count)
        {
            return previous.Key;
        }

        int[] placed = table is null
            ? [] : [.. table.Key.Select(k => table.Columns.ToList().FindIndex(c => c.Name == k.Name))];
        return placed.Length > 0 && table!.Columns.Count == message.Columns.Count
            ? placed
            : throw new SyncException(ErrorCode.SourceMisconfigured,
                $"The changes of {stream} do not hold its key: its replica identity lacks key columns.",
                $"ALTER TABLE {TableName.Parse(stream).Sql} REPLICA IDENTITY FULL;");
    }
}
