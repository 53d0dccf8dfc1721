using System.Globalization;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>Turns lines of the outbox into changes, with the columns that the row had when it was written.</summary>
internal sealed class OutboxDecoder(PostgresDatabase database, NpgsqlConnection connection)
{
    private readonly TypeCatalog _types = new();

    /// <summary>The change.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>: the entry does not hold the key that its table
    /// has.</exception>
    public async Task<Change> DecodeAsync(OutboxEntry entry, Position position, CancellationToken cancellationToken)
    {
        var operation = entry.Operation switch
        {
            'c' => ChangeOperation.Create,
            'u' => ChangeOperation.Update,
            'd' => ChangeOperation.Delete,
            _ => ChangeOperation.Truncate,
        };
        var columns = await ColumnsAsync(entry.Layout, cancellationToken);
        var before = entry.Before is null ? null : RowImage.Parse(entry.Before, columns.Count);
        var after = entry.After is null ? null : RowImage.Parse(entry.After, columns.Count);
        var ordinals = operation == ChangeOperation.Truncate ? [] : await KeyAsync(entry, columns, cancellationToken);
        var keyBefore = before?.ToKey(ordinals) ?? default;
        var key = after?.ToKey(ordinals) ?? keyBefore;
        return new Change
        {
            Operation = operation,
            Stream = entry.Stream,
            Key = key,
            PreviousKey = after is not null && before is not null && keyBefore != key ? keyBefore : default,
            Before = before?.ToRecord(columns),
            After = after?.ToRecord(columns),
            SourceMicros = entry.AtMicros,
            Position = position.ToString(),
            Origin = entry.Origin,
        };
    }

    private async Task<IReadOnlyList<ColumnSchema>> ColumnsAsync(
        IReadOnlyList<string> layout, CancellationToken cancellationToken)
    {
        var parts = layout
            .Select(static l => l.Split(':', 2))
            .Select(static p => (Oid: uint.Parse(p[0], CultureInfo.InvariantCulture), Name: p[1]))
            .ToList();
        if (parts.Exists(p => !_types.Knows(p.Oid)))
        {
            await _types.LoadAsync(connection, parts.Select(static p => p.Oid), cancellationToken);
        }

        return parts.ConvertAll(p => new ColumnSchema(p.Name, _types[p.Oid], "", -1));
    }

    private async Task<int[]> KeyAsync(
        OutboxEntry entry, IReadOnlyList<ColumnSchema> columns, CancellationToken cancellationToken)
    {
        var table = await database.TableAsync(entry.Stream, cancellationToken);
        int[] ordinals = [.. table.Key.Select(k => columns.ToList().FindIndex(c => c.Name == k.Name))];
        return ordinals.Length > 0 && !ordinals.Contains(-1)
            ? ordinals
            : throw new SyncException(
                ErrorCode.SourceGap,
                $"The key of {entry.Stream} was altered: entry {entry.Id} of the outbox does not hold it.",
                "Run duplex resnapshot on the connection.");
    }
}
