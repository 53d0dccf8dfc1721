using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>
/// Reads the outbox in the order of its numbers, never past a number that a transaction still at work may have taken.
/// </summary>
/// <remarks> A trigger takes its number while its transaction holds the row's lock, so the numbers of one record are
/// in the order of its commits, and so are those of any two transactions of which one began after the other ended.
/// (The order of transaction ids would not do: a transaction that began first may touch a record last.) What is left
/// is to know when the numbers up to some value are complete. Whoever has taken a number holds a lock on the outbox
/// until the end of the transaction: so the numbers up to the sequence's value are final once everyone who held that
/// lock after the value was read has let go of it. Transactions that touch no captured table, in this database or
/// another, hold nothing up, however long they last. </remarks>
internal sealed class OutboxReader(NpgsqlConnection connection)
{
    private const string MomentSql = """
        SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM duplex.outbox_id_seq
        """;

    private const string HoldersSql = """
        SELECT DISTINCT l.virtualtransaction FROM pg_catalog.pg_locks l
        WHERE l.locktype = 'relation' AND l.relation = 'duplex.outbox'::regclass AND l.mode = 'RowExclusiveLock'
            AND l.granted AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
        """;

    private const string PageSql = """
        SELECT id, stream, operation, layout, before, after, origin, (extract(epoch FROM at) * 1000000)::int8
        FROM duplex.outbox WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3
        """;

    private const int PageRows = 500;
    private const int PageBytes = 4 * 1024 * 1024;

    private (long Number, HashSet<string> Holders)? _waiting;
    private long _final;
    private long _passed;
    private int _rows = PageRows;

    /// <summary>Whether numbers were taken that are not final yet, so that it is worth asking again soon.</summary>
    public bool IsWaiting => _waiting is not null;

    /// <summary>
    /// The entries after the number that are final, as many as a page holds; none when there are none.
    /// </summary>
    public async Task<List<OutboxEntry>> ReadAsync(long after, CancellationToken cancellationToken)
    {
        var from = Math.Max(after, _passed);
        if (_final <= from)
        {
            await AdvanceAsync(cancellationToken);
        }

        if (_final <= from)
        {
            return [];
        }

        var asked = _rows;
        var page = await ReadPageAsync(from, _final, asked, cancellationToken);
        if (page.Count < asked && _rows >= asked)
        {
            // Numbers that were rolled back have no entry; there is nothing more up to here.
            _passed = _final;
        }

        return page;
    }

    private async Task AdvanceAsync(CancellationToken cancellationToken)
    {
        // The order of the two statements matters: whoever has taken a number read first holds the lock read second,
        // or has ended.
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new(MomentSql), new(HoldersSql) } };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var number = reader.GetInt64(0);
        await reader.NextResultAsync(cancellationToken);
        var holders = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
        {
            holders.Add(reader.GetString(0));
        }

        if (_waiting is { } waiting && !waiting.Holders.Overlaps(holders))
        {
            _final = Math.Max(_final, waiting.Number);
            _waiting = null;
        }

        if (holders.Count == 0)
        {
            _final = Math.Max(_final, number);
            _waiting = null;
        }
        else if (_waiting is null && number > _final)
        {
            _waiting = (number, holders);
        }
    }

    private async Task<List<OutboxEntry>> ReadPageAsync(
        long after, long upTo, int rows, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(PageSql, connection);
        foreach (var value in (long[])[after, upTo, rows])
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Bigint });
        }

        var bytes = 0;
        var entries = new List<OutboxEntry>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            entries.Add(new OutboxEntry(
                reader.GetInt64(0),
                reader.GetString(1),
                reader.GetString(2)[0],
                reader.GetFieldValue<string[]>(3),
                await reader.IsDBNullAsync(4, cancellationToken) ? null : reader.GetFieldValue<byte[]>(4),
                await reader.IsDBNullAsync(5, cancellationToken) ? null : reader.GetFieldValue<byte[]>(5),
                await reader.IsDBNullAsync(6, cancellationToken) ? null : reader.GetString(6),
                reader.GetInt64(7)));
            bytes += (entries[^1].Before?.Length ?? 0) + (entries[^1].After?.Length ?? 0);
            if (bytes > PageBytes && entries.Count < rows)
            {
                // The next page asks for as many as fit, so that wide rows are not sent again and again.
                _rows = entries.Count;
                return entries;
            }
        }

        _rows = Math.Min(PageRows, rows * 2);
        return entries;
    }
}

/// <summary>One line of the outbox.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Stream">The stream.</param>
/// <param name="Operation">Debezium's letter.</param>
/// <param name="Layout">The columns that the row had, each as <c>oid:name</c>.</param>
/// <param name="Before">The row's text before, or null.</param>
/// <param name="After">The row's text after, or null.</param>
/// <param name="Origin">The mark of the write, or null.</param>
/// <param name="AtMicros">When.</param>
internal sealed record OutboxEntry(
    long Id, string Stream, char Operation, IReadOnlyList<string> Layout, byte[]? Before, byte[]? After, string? Origin,
    long AtMicros);
