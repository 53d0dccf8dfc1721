using System.Globalization;
using System.Text;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>Reads chunks of one table in the order of its key, each in a snapshot of its own. One statement at a
/// time.</summary>
internal sealed class ChunkReader(NpgsqlConnection connection, TableSchema table, byte[] source)
{
    /// <summary>A chunk ends early when its rows have this size.</summary>
    public const int BytesMax = 8 << 20;

    private readonly ColumnSchema[] _columns = [.. table.Columns.Where(static c => !c.Generated)];

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
            System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await using (var first = new NpgsqlCommand(
            "SELECT pg_current_snapshot()::text, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            connection, transaction))
        await using (var reader = await first.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            chunk.Seen = VisibleTransactions.Parse(reader.GetString(0));
            rows.Micros = reader.GetInt64(1);
        }

        await using var command = chunk.Again is null ? Range(after, rowsMax) : Listed(chunk.Again);
        command.Connection = connection;
        command.Transaction = transaction;
        command.AllResultTypesAreUnknown = true;
        var whole = await FillAsync(command, rows, chunk.Again is null, cancellationToken);
        chunk.After = rows.Count == 0 ? null : RecordKey.FromUtf8(rows.Key(rows.Count - 1)).Parts();
        chunk.IsLast = whole && (chunk.Again is not null || rows.Count < rowsMax);
        chunk.Rows = rows;
        await transaction.CommitAsync(cancellationToken);
    }

    private NpgsqlCommand Range(IReadOnlyList<string>? after, int rowsMax)
    {
        var key = string.Join(", ", table.Key.Select(static c => TableName.Quote(c.Name)));
        var command = new NpgsqlCommand();
        var where = "";
        if (after is not null)
        {
            var parts = table.Key.Select((c, i) =>
                string.Create(CultureInfo.InvariantCulture, $"${i + 1}::text::{c.Type.Name}"));
            where = $" WHERE ({key}) > ({string.Join(", ", parts)})";
            foreach (var part in after)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = part });
            }
        }

        command.CommandText = string.Create(CultureInfo.InvariantCulture,
            $"SELECT {Selected()} FROM {table.Name.Sql}{where} ORDER BY {key} LIMIT {rowsMax}");
        return command;
    }

    private NpgsqlCommand Listed(IReadOnlyList<string> keys)
    {
        var key = string.Join(", ", table.Key.Select(static c => $"t.{TableName.Quote(c.Name)}"));
        var names = string.Join(", ", table.Key.Select(static (_, i) => $"k{i}"));
        var arrays = string.Join(", ", table.Key.Select(static (_, i) => $"${i + 1}::text[]"));
        var typed = string.Join(", ", table.Key.Select(static (c, i) => $"k{i}::{c.Type.Name}"));
        var command = new NpgsqlCommand(
            $"SELECT {Selected()} FROM {table.Name.Sql} t WHERE ({key}) IN "
            + $"(SELECT {typed} FROM unnest({arrays}) AS k({names}))");
        var parts = keys.Select(static k => RecordKey.FromJson(k).Parts()).ToArray();
        for (var i = 0; i < table.Key.Count; i++)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parts.Select(p => p[i]).ToArray() });
        }

        return command;
    }

    private string Selected() => string.Join(", ", _columns.Select(static c => TableName.Quote(c.Name)));

    private async Task<bool> FillAsync(
        NpgsqlCommand command, SnapshotRows rows, bool isRange, CancellationToken cancellationToken)
    {
        var key = table.Key.Select(k => Array.FindIndex(_columns, c => c.Name == k.Name)).ToArray();
        var members = _columns.Select(static c => Encoding.UTF8.GetBytes(c.Name)).ToArray();
        var values = new byte[]?[_columns.Length];
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = reader.IsDBNull(i) ? null : Encoding.UTF8.GetBytes(reader.GetString(i));
            }

            Write(rows, key, members, values);
            if (rows.Bytes > BytesMax && isRange)
            {
                return false;
            }
        }

        return true;
    }

    private void Write(SnapshotRows rows, int[] key, byte[][] members, byte[]?[] values)
    {
        var output = rows.Output;
        var separator = (byte)'[';
        foreach (var column in key)
        {
            PgOutput.EnvelopeBytes.WriteByte(output, separator);
            JsonText.WriteKeyPart(values[column], output);
            separator = (byte)',';
        }

        PgOutput.EnvelopeBytes.WriteByte(output, (byte)']');
        rows.EndKey();
        separator = (byte)'{';
        for (var i = 0; i < values.Length; i++)
        {
            PgOutput.EnvelopeBytes.WriteByte(output, separator);
            separator = (byte)',';
            JsonText.WriteString(members[i], output);
            PgOutput.EnvelopeBytes.WriteByte(output, (byte)':');
            if (values[i] is { } value)
            {
                PostgresText.WriteJson(_columns[i].Type, value, output);
            }
            else
            {
                PgOutput.EnvelopeBytes.Write(output, "null"u8);
            }
        }

        PgOutput.EnvelopeBytes.WriteByte(output, (byte)'}');
        rows.EndRow();
    }
}
