using System.Runtime.CompilerServices;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Failures;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Reading;

/// <summary>Reads rows as they are: by key, and all of them in the order of the key.</summary>
public sealed class PostgresReader(PostgresDatabase database) : IRecordReader
{
    private const int PageRows = 1000;
    private const int FirstPageRows = 100;
    private const int PageBytes = 4 * 1024 * 1024;
    private const int CountedRows = 100_000;
    private const string Now = "(extract(epoch FROM statement_timestamp()) * 1000000)::int8";

    /// <summary>Opens a reader on a pool of its own. Does no I/O.</summary>
    public static PostgresReader Open(string connectionString) => new(new PostgresDatabase(
        PostgresSession.CreateDataSource(new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = 8,
            CommandTimeout = 120,
        })));

    /// <inheritdoc/>
    public async Task<IReadOnlyList<FetchedRecord?>> FetchAsync(
        string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        try
        {
            var table = await KeyedTableAsync(stream, cancellationToken);
            var found = new FetchedRecord?[keys.Count];
            int[] asked = [.. Enumerable.Range(0, keys.Count).Where(i => keys[i].Parts().Length == table.Key.Count)];
            await FetchAsync(table, keys, asked, found, cancellationToken);
            return found;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw PostgresFailures.OfReader(e, stream);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<IReadOnlyList<FetchedRecord>> ListAsync(
        string stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        TableSchema? table = null;
        RowImage? last = null;
        var rows = FirstPageRows;
        while (true)
        {
            List<FetchedRecord> page;
            bool more;
            try
            {
                table ??= await KeyedTableAsync(stream, cancellationToken);
                (page, last, more) = await ReadPageAsync(table, last, rows, cancellationToken);
                rows = Math.Clamp(page.Count * (more && page.Count == rows ? 2 : 1), 1, PageRows);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                throw PostgresFailures.OfReader(e, stream);
            }

            if (page.Count > 0)
            {
                yield return page;
            }

            if (!more)
            {
                yield break;
            }
        }
    }

    /// <inheritdoc/>
    public async Task<long> EstimateAsync(string stream, CancellationToken cancellationToken)
    {
        try
        {
            var table = await database.TableAsync(stream, cancellationToken);
            await using var counted = database.Source.CreateCommand(
                $"SELECT count(*) FROM (SELECT 1 FROM {table.Name.Sql} LIMIT {CountedRows}) t");
            var exact = (long)(await counted.ExecuteScalarAsync(cancellationToken))!;
            if (exact < CountedRows)
            {
                return exact;
            }

            await using var estimated = database.Source.CreateCommand("""
                SELECT coalesce(sum(CASE WHEN c.reltuples < 0 THEN 0 ELSE c.reltuples END), 0)::int8
                FROM pg_catalog.pg_class c
                WHERE c.oid = $1 OR c.oid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1) p WHERE p.isleaf)
                """);
            estimated.Parameters.Add(new NpgsqlParameter { Value = table.Oid, NpgsqlDbType = NpgsqlDbType.Oid });
            return Math.Max(exact, (long)(await estimated.ExecuteScalarAsync(cancellationToken))!);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw PostgresFailures.OfReader(e, stream);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => database.DisposeAsync();

    private async Task<TableSchema> KeyedTableAsync(string stream, CancellationToken cancellationToken)
    {
        var table = await database.TableAsync(stream, cancellationToken);
        return table.Key.Count > 0 ? table : throw table.Keyless(ErrorCode.ConfigInvalid);
    }

    private async Task FetchAsync(
        TableSchema table, IReadOnlyList<RecordKey> keys, int[] asked, FetchedRecord?[] found,
        CancellationToken cancellationToken)
    {
        if (asked.Length == 0)
        {
            return;
        }

        try
        {
            await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
            await using var batch = new NpgsqlBatch(connection)
            {
                BatchCommands = { new($"SELECT {Now}"), KeyLookup.Command(table, [.. asked.Select(i => keys[i])]) },
            };
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var at = reader.GetInt64(0);
            await reader.NextResultAsync(cancellationToken);
            var rows = await KeyLookup.ReadAsync(reader, table, asked.Length, cancellationToken);
            for (var i = 0; i < asked.Length; i++)
            {
                found[asked[i]] = rows[i] is { } row
                    ? new FetchedRecord(row.ToKey(table), row.ToRecord(table), at) : null;
            }
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            // A key that the key's type cannot hold ("abc" for a number) is the key of no row; the others are asked
            // without it.
            if (asked.Length > 1)
            {
                var half = asked.Length / 2;
                await FetchAsync(table, keys, asked[..half], found, cancellationToken);
                await FetchAsync(table, keys, asked[half..], found, cancellationToken);
            }
        }
    }

    private async Task<(List<FetchedRecord> Page, RowImage? Last, bool More)> ReadPageAsync(
        TableSchema table, RowImage? after, int rows, CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var command = KeyRange.Command(table, after?.Texts(table.KeyOrdinals), rows, $", {Now}");
        command.Connection = connection;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var page = new List<FetchedRecord>();
        var last = after;
        var bytes = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            var text = reader.GetFieldValue<byte[]>(0);
            bytes += text.Length;
            last = RowImage.Parse(text, table.Columns.Count);
            page.Add(new FetchedRecord(last.ToKey(table), last.ToRecord(table), reader.GetInt64(1)));
            if (bytes > PageBytes)
            {
                // The next page asks for as many rows as fit, so that a table of wide rows is not sent again and again.
                return (page, last, true);
            }
        }

        return (page, last, page.Count == rows);
    }
}
