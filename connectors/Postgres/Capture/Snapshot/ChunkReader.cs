using System.Data;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>Reads chunks of one table in the order of its key, each in a snapshot of its own. One statement at a
/// time.</summary>
/// <param name="connection">Where to read.</param>
/// <param name="table">The table, with the columns that the log tells.</param>
/// <param name="source">The constant part of the rows' envelopes.</param>
internal sealed class ChunkReader(NpgsqlConnection connection, TableSchema table, byte[] source)
{
    /// <summary>A chunk ends early when its rows have this size.</summary>
    public const int BytesMax = 8 << 20;

    private const string MomentSql =
        "SELECT pg_current_snapshot()::text, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

    /// <summary>Fills a chunk.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="after">The key after which it starts; null for the first.</param>
    /// <param name="rowsMax">How many rows at most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task ReadAsync(
        SnapshotChunk chunk, IReadOnlyList<string>? after, int rowsMax, CancellationToken cancellationToken)
    {
        var rows = new SnapshotRows(chunk.Stream, source);
        await using var transaction = await connection.BeginTransactionAsync(
            IsolationLevel.RepeatableRead, cancellationToken);
        await using (var moment = new NpgsqlCommand(MomentSql, connection))
        await using (var reader = await moment.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            chunk.Seen = VisibleTransactions.Parse(reader.GetString(0));
            rows.Micros = reader.GetInt64(1);
        }

        var whole = chunk.Again is null
            ? await ReadRangeAsync(rows, after, rowsMax, cancellationToken)
            : await ReadListedAsync(rows, chunk.Again, cancellationToken);
        chunk.After = rows.Count == 0 ? null : RecordKey.FromUtf8(rows.Key(rows.Count - 1)).Parts();
        chunk.IsLast = whole;
        chunk.Rows = rows;
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Returns whether no row lies behind.</summary>
    private async Task<bool> ReadRangeAsync(
        SnapshotRows rows, IReadOnlyList<string>? after, int rowsMax, CancellationToken cancellationToken)
    {
        await using var command = KeyRange.Command(table, after, rowsMax);
        command.Connection = connection;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(RowImage.Parse(reader.GetFieldValue<byte[]>(0), table.Columns.Count), table);
            if (rows.Bytes > BytesMax)
            {
                return false;
            }
        }

        return rows.Count < rowsMax;
    }

    private async Task<bool> ReadListedAsync(
        SnapshotRows rows, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        RecordKey[] asked = [.. keys.Select(RecordKey.FromJson)];
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { KeyLookup.Command(table, asked) } };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        foreach (var row in await KeyLookup.ReadAsync(reader, table, asked.Length, cancellationToken))
        {
            if (row is not null)
            {
                rows.Add(row, table);
            }
        }

        return true;
    }
}
