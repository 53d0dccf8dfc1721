using System.Data;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>
/// Reads the rows that a table has, chunk by chunk in the order of the key. A row of which the outbox holds an entry
/// that was not read yet is left out: the entry has the whole row, and comes in its own order.
/// </summary>
internal sealed class OutboxSnapshot(NpgsqlConnection connection, TableSchema table, string stream)
{
    private const int BytesMax = 4 * 1024 * 1024;

    private const string EntriesSql = """
        SELECT id, layout, before, after FROM duplex.outbox WHERE id > $1 AND stream = $2 AND operation <> 't'
        """;

    /// <summary>Reads a chunk.</summary>
    /// <param name="read">The number up to which the outbox was read.</param>
    /// <param name="after">The key's texts after which the chunk starts; null for the first one.</param>
    /// <param name="rowsMax">The most rows.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<OutboxChunk> ReadAsync(
        long read, IReadOnlyList<string>? after, int rowsMax, CancellationToken cancellationToken)
    {
        // Rows and entries are of one moment: an entry that the rows' moment does not see comes later, and so does
        // its row.
        await using var transaction =
            await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var rows = await ReadRowsAsync(after, rowsMax, cancellationToken);
        var younger = rows.Rows.Count == 0 ? [] : await ReadKeysAsync(read, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return rows with { Rows = [.. rows.Rows.Where(r => !younger.Contains(r.Key))] };
    }

    private async Task<OutboxChunk> ReadRowsAsync(
        IReadOnlyList<string>? after, int rowsMax, CancellationToken cancellationToken)
    {
        await using var command = KeyRange.Command(table, after, rowsMax);
        command.Connection = connection;
        var rows = new List<(RecordKey Key, Record Record)>();
        var last = after;
        var bytes = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var text = reader.GetFieldValue<byte[]>(0);
            bytes += text.Length;
            var image = RowImage.Parse(text, table.Columns.Count);
            rows.Add((image.ToKey(table), image.ToRecord(table)));
            last = image.Texts(table.KeyOrdinals);
            if (bytes > BytesMax)
            {
                return new OutboxChunk(rows, last, false);
            }
        }

        return new OutboxChunk(rows, last, rows.Count < rowsMax);
    }

    private async Task<HashSet<RecordKey>> ReadKeysAsync(long read, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(EntriesSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = read, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new NpgsqlParameter { Value = stream, NpgsqlDbType = NpgsqlDbType.Text });
        var keys = new HashSet<RecordKey>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var names = reader.GetFieldValue<string[]>(1).Select(static l => l.Split(':', 2)[1]).ToList();
            int[] ordinals = [.. table.Key.Select(k => names.IndexOf(k.Name))];
            for (var image = 2; image <= 3; image++)
            {
                if (!await reader.IsDBNullAsync(image, cancellationToken))
                {
                    keys.Add(RowImage.Parse(reader.GetFieldValue<byte[]>(image), names.Count).ToKey(ordinals));
                }
            }
        }

        return keys;
    }
}

/// <summary>Rows of a snapshot.</summary>
/// <param name="Rows">Those that stand.</param>
/// <param name="After">Where the next chunk starts.</param>
/// <param name="IsLast">Whether there are no more.</param>
internal sealed record OutboxChunk(
    IReadOnlyList<(RecordKey Key, Record Record)> Rows, IReadOnlyList<string>? After, bool IsLast);
