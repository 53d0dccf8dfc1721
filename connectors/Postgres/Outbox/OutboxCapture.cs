using Duplex.Connectors.Postgres.Capture;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>
/// What stands at the database for one reader of the outbox: its line in <c>duplex.outbox_readers</c>, and the
/// triggers on its tables. Everything here is checked against the saved position, so that a change that may have been
/// missed is never passed over.
/// </summary>
internal sealed class OutboxCapture(NpgsqlConnection connection, CaptureOptions options, IReadOnlyList<string> streams)
{
    private string Reader => options.Slot;

    /// <summary>
    /// Prepares the outbox and finds where to read from: the saved position, with streams that are new to it added.
    /// </summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>: changes since the position may be
    /// missing.</exception>
    public async Task<(Position Start, OutboxToken Token)> BeginAsync(
        Position? saved, CancellationToken cancellationToken)
    {
        await OutboxSchema.EnsureAsync(connection, cancellationToken);
        var token = saved is null ? new OutboxToken(new Dictionary<string, StreamProgress>()) : OutboxToken.Read(saved);
        if (saved is not null)
        {
            await RequireReaderAsync(saved, cancellationToken);
        }

        // A stream that is no longer read is forgotten: should it be read again one day, it starts with its rows.
        token = new OutboxToken(token.Streams.Where(s => streams.Contains(s.Key)).ToDictionary());
        var tables = await TablesAsync(cancellationToken);
        await RequireTriggersAsync(token, tables, cancellationToken);
        foreach (var (stream, table) in tables.Where(t => !token.Streams.ContainsKey(t.Key)))
        {
            await OutboxSchema.AttachAsync(connection, stream, table.Name, cancellationToken);
            token = token.With(stream, new StreamProgress(table.Oid, Done: !options.TakesSnapshot));
        }

        await DetachUnreadAsync(await RegisterAsync(saved is null, cancellationToken), cancellationToken);
        var start = saved ?? new Position(1, 0, 0);
        return (start with { Token = token.Write() }, token);
    }

    /// <summary>Prepares everything anew, for all streams to be read from their first row.</summary>
    public async Task<Position> RestartAsync(Position? saved, CancellationToken cancellationToken)
    {
        await OutboxSchema.EnsureAsync(connection, cancellationToken);
        var token = new OutboxToken(new Dictionary<string, StreamProgress>());
        foreach (var (stream, table) in await TablesAsync(cancellationToken))
        {
            await OutboxSchema.AttachAsync(connection, stream, table.Name, cancellationToken);
            token = token.With(stream, new StreamProgress(table.Oid, Done: false));
        }

        await RegisterAsync(anew: true, cancellationToken);

        // Entries that are still there are read too, from the first one on: a transaction may have taken a low number
        // and not ended.
        return new Position((saved?.Epoch ?? 0) + 1, 0, 0, token.Write());
    }

    /// <summary>Checks while it runs that the triggers still stand.</summary>
    public async Task RequireTriggersAsync(
        OutboxToken token, IReadOnlyDictionary<string, TableSchema> tables, CancellationToken cancellationToken)
    {
        var known = tables.Where(t => token.Streams.ContainsKey(t.Key)).ToList();
        var attached = await OutboxSchema.AttachedAsync(
            connection, known.Select(static t => t.Value.Oid), cancellationToken);
        foreach (var (stream, table) in known)
        {
            if (!attached.Contains(table.Oid) || token.Streams[stream].Table != table.Oid)
            {
                throw new SyncException(
                    ErrorCode.SourceGap,
                    $"The capture triggers of {stream} were dropped or disabled, or the table was made again: "
                    + "changes may be missing.",
                    GapCheck.Fix(options.Connection));
            }
        }
    }

    /// <summary>The tables of the streams.</summary>
    public async Task<IReadOnlyDictionary<string, TableSchema>> TablesAsync(CancellationToken cancellationToken)
    {
        var tables = new Dictionary<string, TableSchema>();
        var types = new TypeCatalog();
        foreach (var stream in streams)
        {
            var table = await TableCatalog.LoadAsync(connection, types, TableName.Parse(stream), cancellationToken);
            tables[stream] = table switch
            {
                null => throw new SyncException(
                    ErrorCode.SourceMisconfigured, $"There is no table {stream}.", "Name a table as schema.table."),
                { Key.Count: 0 } => throw table.Keyless(ErrorCode.SourceMisconfigured),
                _ => table,
            };
        }

        return tables;
    }

    /// <summary>Notes that everything up to the number is safe, and lets go of what every reader has.</summary>
    public async Task ConfirmAsync(long number, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("UPDATE duplex.outbox_readers SET confirmed = greatest(confirmed, $2) WHERE name = $1")
                {
                    Parameters = { Text(Reader), new() { Value = number, NpgsqlDbType = NpgsqlDbType.Bigint } },
                },
                new("DELETE FROM duplex.outbox WHERE id <= (SELECT min(r.confirmed) FROM duplex.outbox_readers r)"),
            },
        };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Takes this reader away, and the triggers that no other reader needs.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await using (var exists =
            new NpgsqlCommand("SELECT to_regclass('duplex.outbox_readers') IS NOT NULL", connection))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return;
            }
        }

        var read = new List<string>(streams);
        await using (var remove = new NpgsqlCommand(
            "DELETE FROM duplex.outbox_readers WHERE name = $1 RETURNING streams", connection)
        {
            Parameters = { Text(Reader) },
        })
        {
            read.AddRange(await remove.ExecuteScalarAsync(cancellationToken) as string[] ?? []);
        }

        var needed = await DetachUnreadAsync(read, cancellationToken);
        if (needed.Count == 0)
        {
            await OutboxSchema.ExecuteAsync(
                connection,
                "DROP FUNCTION IF EXISTS duplex.capture() CASCADE; DROP TABLE IF EXISTS duplex.outbox, duplex.outbox_readers",
                cancellationToken);
        }
    }

    private async Task RequireReaderAsync(Position saved, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT confirmed FROM duplex.outbox_readers WHERE name = $1", connection)
        {
            Parameters = { Text(Reader) },
        };
        var confirmed = await command.ExecuteScalarAsync(cancellationToken);
        if (confirmed is null || (long)confirmed > (long)saved.Major)
        {
            throw new SyncException(
                ErrorCode.SourceGap,
                confirmed is null
                    ? $"Reader {Reader} of the outbox was removed; changes since the saved position may be missing."
                    : $"The outbox was read up to {confirmed}, beyond the saved position {saved.Major}.",
                GapCheck.Fix(options.Connection));
        }
    }

    /// <summary>Writes this reader's line and gives the streams that it had before.</summary>
    private async Task<IReadOnlyList<string>> RegisterAsync(bool anew, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            WITH old AS (SELECT r.streams FROM duplex.outbox_readers r WHERE r.name = $1)
            INSERT INTO duplex.outbox_readers AS r (name, streams) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE
                SET streams = excluded.streams, confirmed = CASE WHEN $3 THEN 0 ELSE r.confirmed END
            RETURNING (SELECT old.streams FROM old)
            """, connection);
        command.Parameters.Add(Text(Reader));
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = streams.ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        command.Parameters.Add(new NpgsqlParameter { Value = anew, NpgsqlDbType = NpgsqlDbType.Boolean });
        return await command.ExecuteScalarAsync(cancellationToken) as string[] ?? [];
    }

    /// <summary>
    /// Takes the triggers off those of the streams that no reader reads, and gives all that are read.
    /// </summary>
    private async Task<IReadOnlySet<string>> DetachUnreadAsync(
        IEnumerable<string> candidates, CancellationToken cancellationToken)
    {
        var needed = new HashSet<string>();
        await using (var readers = new NpgsqlCommand("SELECT streams FROM duplex.outbox_readers", connection))
        await using (var reader = await readers.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                needed.UnionWith(reader.GetFieldValue<string[]>(0));
            }
        }

        foreach (var stream in candidates.Distinct().Where(s => !needed.Contains(s)))
        {
            await OutboxSchema.DetachAsync(connection, TableName.Parse(stream), cancellationToken);
        }

        return needed;
    }

    private static NpgsqlParameter Text(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text };
}
