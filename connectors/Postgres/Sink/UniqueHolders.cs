using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>Finds the rows that hold a unique value which a request wanted to write.</summary>
internal static class UniqueHolders
{
    /// <summary>The unique constraint that the refusal names; null if it is about something else, or about an expression.</summary>
    public static TableConstraint? Of(PostgresException failure, TableSchema table) =>
        failure.SqlState == PostgresErrorCodes.UniqueViolation
            ? table.Constraints.FirstOrDefault(c => c.Name == failure.ConstraintName && c.Columns.Count > 0)
            : null;

    /// <summary>Tells each request that failed on a unique value the key of the row that holds it, as far as there still is one.</summary>
    public static async Task TellAsync(
        NpgsqlConnection connection, TableSchema table, IEnumerable<WritePlan> plans, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        var asked = new List<WritePlan>();
        foreach (var plan in plans.Where(static p => p is { Blocked: not null, Outcome.Error.Code: ErrorCode.SinkConstraint }))
        {
            if (Ask(table, plan, plan.Blocked!) is { } command)
            {
                asked.Add(plan);
                batch.BatchCommands.Add(command);
            }
        }

        if (asked.Count == 0)
        {
            return;
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        foreach (var plan in asked)
        {
            if (await reader.ReadAsync(cancellationToken))
            {
                var holder = RowImage.Parse(reader.GetFieldValue<byte[]>(0), table.Columns.Count);
                plan.Outcome = plan.Outcome! with { Key = holder.ToKey(table) };
            }

            await reader.NextResultAsync(cancellationToken);
        }
    }

    /// <summary>Null when the request does not tell all values of the constraint.</summary>
    private static NpgsqlBatchCommand? Ask(TableSchema table, WritePlan plan, TableConstraint constraint)
    {
        var command = new NpgsqlBatchCommand();
        var conditions = new List<string>();
        foreach (var name in constraint.Columns)
        {
            var column = table.Find(name)!;
            var written = plan.Values.FirstOrDefault(v => v.Column == column);
            if ((written.Column is null ? plan.Row?.TextOf(table, column) : written.Text) is not { } text)
            {
                return null;
            }

            command.Parameters.Add(KeyLookup.Parameter(text));
            conditions.Add($"t.{TableName.Quote(name)} = {WriteStatements.Cast(command.Parameters.Count, column)}");
        }

        command.CommandText =
            $"SELECT {RowImage.Sql(table, "t")} FROM {table.Name.Sql} t WHERE {string.Join(" AND ", conditions)} LIMIT 1";
        return command;
    }
}
