using Duplex.Connectors.Postgres.Failures;
using Duplex.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>
/// The table <c>duplex.writes</c> at the sink: which write was done under which idempotency key, and the key of its
/// record. It is written in the transaction of the write, so that a write whose outcome never reached us is found
/// when it is repeated.
/// </summary>
internal static class WriteLedger
{
    /// <summary>What makes the table; shown to the person who must run it where our role may not.</summary>
    public const string Definition = """
        CREATE SCHEMA IF NOT EXISTS duplex;
        CREATE TABLE IF NOT EXISTS duplex.writes (
            idempotency_key text CONSTRAINT writes_pkey PRIMARY KEY,
            stream text NOT NULL,
            operation text NOT NULL,
            record_key text NOT NULL,
            written_at timestamptz NOT NULL DEFAULT clock_timestamp());
        CREATE INDEX IF NOT EXISTS writes_written_at ON duplex.writes (written_at);
        """;

    /// <summary>How long a write is remembered: longer than anything stays pending.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    /// <summary>Makes the table where it is missing.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SinkUnauthorized"/>: it is missing and the role may not
    /// make it.</exception>
    public static async Task EnsureAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            if (await ExistsAsync(connection, "to_regclass('duplex.writes')", cancellationToken))
            {
                return;
            }

            // CREATE SCHEMA IF NOT EXISTS asks for a privilege on the database even where there is nothing to create.
            var statements = await ExistsAsync(connection, "to_regnamespace('duplex')", cancellationToken)
                ? Definition[(Definition.IndexOf(';', StringComparison.Ordinal) + 1)..]
                : Definition;

            // Two sinks may come here at once; IF NOT EXISTS alone does not keep them apart.
            await using var create = new NpgsqlBatch(connection)
            {
                BatchCommands = { new("SELECT pg_advisory_xact_lock(hashtext('duplex.writes'))") },
            };
            foreach (var statement in statements.Split(
                ';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                create.BatchCommands.Add(new NpgsqlBatchCommand(statement));
            }

            await create.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == "42501")
        {
            throw new SyncException(
                new SyncError(
                    ErrorCode.SinkUnauthorized,
                    "The role may not create the table duplex.writes, in which writes are noted so that none is made twice.",
                    Suggestion: $"Let an administrator run: {Definition} GRANT USAGE ON SCHEMA duplex TO …; "
                        + "GRANT SELECT, INSERT, DELETE ON duplex.writes TO …",
                    Detail: PostgresFailures.Words(e)),
                e);
        }
    }

    /// <summary>Asks which of the keys were used; see <see cref="ReadAsync"/>.</summary>
    public static NpgsqlBatchCommand Find(IEnumerable<WritePlan> plans)
    {
        var command = new NpgsqlBatchCommand(
            "SELECT idempotency_key, stream, operation, record_key FROM duplex.writes WHERE idempotency_key = ANY($1)");
        command.Parameters.Add(Texts(plans.Select(static p => p.Request.IdempotencyKey)));
        return command;
    }

    /// <summary>Marks the plans whose write was done before, and gives them the key of their record.</summary>
    public static async Task ReadAsync(
        NpgsqlDataReader reader, IReadOnlyList<WritePlan> plans, CancellationToken cancellationToken)
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            var used = reader.GetString(0);
            foreach (var plan in plans.Where(p => p.Request.IdempotencyKey == used))
            {
                if (reader.GetString(1) != plan.Request.Stream
                    || reader.GetString(2) != plan.Request.Operation.ToString())
                {
                    plan.Outcome = WriteOutcome.Failure(new SyncError(
                        ErrorCode.SinkKeyReused,
                        $"The idempotency key {used} was used for another write, to {reader.GetString(1)}."));
                    continue;
                }

                plan.AlreadyDone = true;
                plan.Key = RecordKey.FromJson(reader.GetString(3));
            }
        }
    }

    /// <summary>Notes writes.</summary>
    public static NpgsqlBatchCommand Note(IReadOnlyList<WritePlan> plans)
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO duplex.writes (idempotency_key, stream, operation, record_key)
            SELECT * FROM unnest($1, $2, $3, $4)
            """);
        command.Parameters.Add(Texts(plans.Select(static p => p.Request.IdempotencyKey)));
        command.Parameters.Add(Texts(plans.Select(static p => p.Request.Stream)));
        command.Parameters.Add(Texts(plans.Select(static p => p.Request.Operation.ToString())));
        command.Parameters.Add(Texts(plans.Select(static p => p.Outcome!.Key.Json)));
        return command;
    }

    /// <summary>Forgets writes older than <see cref="Retention"/>, a bounded number at a time.</summary>
    public static async Task<int> PruneAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand("""
            DELETE FROM duplex.writes WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM duplex.writes WHERE written_at < clock_timestamp() - $1 LIMIT 10000))
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = Retention, NpgsqlDbType = NpgsqlDbType.Interval });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<bool> ExistsAsync(
        NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {name} IS NOT NULL", connection);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static NpgsqlParameter Texts(IEnumerable<string> texts) =>
        new() { Value = texts.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
}
