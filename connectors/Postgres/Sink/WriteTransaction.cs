using System.Buffers;
using System.Data;
using System.Text.Json;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Failures;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>
/// Requests of one table in one transaction: look the idempotency keys up and lock the rows; compare; write, each
/// write behind its own mark; note the writes and commit. Four round trips, whatever the number of requests.
/// </summary>
internal sealed class WriteTransaction(NpgsqlConnection connection, TableSchema table, IReadOnlyList<WritePlan> plans)
{
    private const string Now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8";

    /// <summary>Runs to the commit. Every plan has its outcome then; after a throw, none has.</summary>
    /// <exception cref="NpgsqlException">Nothing was written, or, when the commit's answer did not come, it is not
    /// known.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await BeginAsync(cancellationToken);
            ReportRepeated();
            foreach (var plan in plans.Where(static p => p.Outcome is null && !p.AlreadyDone))
            {
                Prepare(plan);
            }

            await JudgeAsync(cancellationToken);
            foreach (var plan in plans.Where(static p => p is { Outcome: null, Row: not null, AlreadyDone: false }))
            {
                plan.Decide(table);
            }

            await WriteAsync(cancellationToken);
            await FindExistingAsync(cancellationToken);
            await UniqueHolders.TellAsync(connection, table, plans, cancellationToken);
            await CommitAsync(cancellationToken);
        }
        catch (PostgresException) when (connection.FullState == ConnectionState.Open)
        {
            // The connection lives on; it goes back to the pool without a transaction.
            await using var rollback = new NpgsqlCommand("ROLLBACK", connection);
            await rollback.ExecuteNonQueryAsync(CancellationToken.None);
            throw;
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        var keyed = plans.Where(static p => p.Outcome is null && p.Request.Operation != WriteOperation.Create).ToList();
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in WriteStatements.Begin())
        {
            batch.BatchCommands.Add(command);
        }

        batch.BatchCommands.Add(WriteLedger.Find(plans));
        if (keyed.Count > 0)
        {
            // Foreign keys that point at our rows need not wait for us unless we delete.
            var deletes = keyed.Exists(static p => p.Request.Operation == WriteOperation.Delete);
            var strength = deletes ? "FOR UPDATE OF t" : "FOR NO KEY UPDATE OF t";
            batch.BatchCommands.Add(KeyLookup.Command(table, [.. keyed.Select(static p => p.Key)], strength));
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await WriteLedger.ReadAsync(reader, plans, cancellationToken);
        if (keyed.Count > 0)
        {
            await reader.NextResultAsync(cancellationToken);
            Assign(keyed, await KeyLookup.ReadAsync(reader, table, keyed.Count, cancellationToken));
        }
    }

    /// <summary>
    /// Reports writes that were done before. The row as it is now may hold younger edits, which are not what the write left: they are not
    /// told, so that nobody takes them for agreed.
    /// </summary>
    private void ReportRepeated()
    {
        foreach (var plan in plans.Where(static p => p.AlreadyDone))
        {
            plan.Outcome = new WriteOutcome(WriteStatus.Applied, plan.Key);
        }
    }

    private void Assign(List<WritePlan> asked, RowImage?[] rows)
    {
        for (var i = 0; i < asked.Count; i++)
        {
            asked[i].Row = rows[i];
            asked[i].Current = rows[i]?.ToRecord(table);
        }
    }

    private void Prepare(WritePlan plan)
    {
        switch (plan.Request.Operation)
        {
            case WriteOperation.Create:
                plan.PlanCreate(table);
                break;
            case WriteOperation.Update or WriteOperation.Delete when plan.Row is null:
                plan.Outcome = WriteOutcome.Failure(new SyncError(
                    ErrorCode.SinkGone, $"{table.Name} has no row {plan.Key}."));
                break;
            default:
                plan.Compare(table);
                break;
        }
    }

    private async Task JudgeAsync(CancellationToken cancellationToken)
    {
        var doubtful = plans
            .Where(static p => p.Outcome is null)
            .Select(static p => p.Doubts.Where(static d => d.NeedsServer).ToList())
            .Where(static doubts => doubts.Count > 0)
            .ToList();
        if (doubtful.Count == 0)
        {
            return;
        }

        // A text that the type refuses is certainly not what the row holds: the write itself says what is wrong with
        // it.
        await IsolatedBatch.RunAsync(
            connection,
            doubtful.Count,
            i => [WriteStatements.Judge(doubtful[i])],
            async (reader, i) =>
            {
                await reader.ReadAsync(cancellationToken);
                var image = RowImage.Parse(reader.GetFieldValue<byte[]>(0), doubtful[i].Count * 2);
                for (var d = 0; d < doubtful[i].Count; d++)
                {
                    var doubt = doubtful[i][d];
                    doubt.HasWanted = doubt.Wanted is not null && IsCurrent(doubt, image, d * 2);
                    doubt.HasBelieved |= doubt.Believed is not null && IsCurrent(doubt, image, (d * 2) + 1);
                }
            },
            static (_, _) => { },
            cancellationToken);
    }

    private static bool IsCurrent(FieldDoubt doubt, RowImage image, int field)
    {
        if (image.IsNull(field))
        {
            return doubt.Current.ValueKind == JsonValueKind.Null;
        }

        var output = new ArrayBufferWriter<byte>();
        PostgresText.WriteJson(doubt.Column.Type, image.Text(field), output);
        return WritePlan.Same(doubt.Column, doubt.Current, JsonElement.Parse(output.WrittenSpan));
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var writes = new List<WritePlan>();
        foreach (var plan in plans.Where(static p => p.Outcome is null))
        {
            if (plan.Request.Operation == WriteOperation.Update && plan.Values.Count == 0)
            {
                plan.Outcome = new WriteOutcome(WriteStatus.Applied, plan.Key, plan.Current);
            }
            else
            {
                writes.Add(plan);
            }
        }

        await IsolatedBatch.RunAsync(
            connection,
            writes.Count,
            i => [WriteStatements.Mark(writes[i].Request.IdempotencyKey), WriteStatements.Write(table, writes[i])],
            async (reader, i) => writes[i].Outcome = await reader.ReadAsync(cancellationToken)
                ? Written(writes[i], RowImage.Parse(reader.GetFieldValue<byte[]>(0), table.Columns.Count))
                : WriteOutcome.Failure(new SyncError(
                    ErrorCode.SinkRejected, $"A trigger or a policy of {table.Name} suppressed the write.")),
            (i, e) =>
            {
                writes[i].Outcome = WriteOutcome.Failure(RecordFailures.Of(e, table, writes[i]));
                writes[i].Blocked = UniqueHolders.Of(e, table);
            },
            cancellationToken);
    }

    /// <summary>Tells the rows that stood in the way of creates, so that the two can be paired.</summary>
    private async Task FindExistingAsync(CancellationToken cancellationToken)
    {
        var blocked = plans.Where(static p => p.Outcome?.Error?.Code == ErrorCode.SinkExists).ToList();
        if (blocked.Count == 0)
        {
            return;
        }

        var keys = blocked.ConvertAll(p => RecordKey.Of(
            [.. table.Key.Select(k => p.Values.FirstOrDefault(v => v.Column == k).Text ?? "")]));
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { KeyLookup.Command(table, keys) } };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        Assign(blocked, await KeyLookup.ReadAsync(reader, table, keys.Count, cancellationToken));
        foreach (var plan in blocked.Where(static p => p.Row is not null))
        {
            plan.Outcome = plan.Outcome! with { Key = plan.Row!.ToKey(table), Current = plan.Current };
        }
    }

    private WriteOutcome Written(WritePlan plan, RowImage row) => plan.Request.Operation == WriteOperation.Delete
        ? new WriteOutcome(WriteStatus.Applied, plan.Key)
        : new WriteOutcome(WriteStatus.Applied, row.ToKey(table), row.ToRecord(table));

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        var done = plans.Where(static p => p is { AlreadyDone: false, Outcome.Status: WriteStatus.Applied }).ToList();
        await using var batch = new NpgsqlBatch(connection);
        if (done.Count > 0)
        {
            batch.BatchCommands.Add(WriteLedger.Note(done));
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(Now));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        long at;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            at = reader.GetInt64(0);
            await reader.NextResultAsync(cancellationToken);
        }

        foreach (var plan in plans)
        {
            plan.Outcome = plan.Outcome! with { AtMicros = at };
        }
    }
}
