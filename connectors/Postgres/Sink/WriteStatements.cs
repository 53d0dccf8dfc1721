using System.Globalization;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>
/// The statements of a transaction of the sink. Values travel as text and are read by the server as the columns'
/// types.
/// </summary>
internal static class WriteStatements
{
    /// <summary>The prefix of the transactional messages that mark our writes.</summary>
    public const string MessagePrefix = "duplex";

    /// <summary>The transaction's setting that holds the mark, for triggers.</summary>
    public const string OriginSetting = "duplex.origin";

    /// <summary>
    /// Starts a transaction whose commit is on disk when it is confirmed, also where the database is set to be quick
    /// about it.
    /// </summary>
    public static IEnumerable<NpgsqlBatchCommand> Begin() =>
    [
        new("BEGIN ISOLATION LEVEL READ COMMITTED"),
        new("SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"),
    ];

    /// <summary>
    /// Marks what follows in the transaction as ours: in the log for logical decoding, and in a setting for triggers.
    /// </summary>
    public static NpgsqlBatchCommand Mark(string mark)
    {
        var command = new NpgsqlBatchCommand(
            $"SELECT pg_logical_emit_message(true, '{MessagePrefix}', $1)::text, set_config('{OriginSetting}', $1, true)");
        command.Parameters.Add(new NpgsqlParameter { Value = mark, NpgsqlDbType = NpgsqlDbType.Text });
        return command;
    }

    /// <summary>The insert, update or delete of a request; gives the image of the row.</summary>
    public static NpgsqlBatchCommand Write(TableSchema table, WritePlan plan) => plan.Request.Operation switch
    {
        WriteOperation.Create => Insert(table, plan),
        WriteOperation.Update => Update(table, plan),
        _ => Delete(table, plan),
    };

    /// <summary>
    /// Asks the server for its own text forms of the wanted and believed values of a request's fields in doubt.
    /// </summary>
    public static NpgsqlBatchCommand Judge(IReadOnlyList<FieldDoubt> doubts)
    {
        var command = new NpgsqlBatchCommand();
        var fields = new List<string>();
        foreach (var doubt in doubts)
        {
            foreach (var value in (System.Text.Json.JsonElement?[])[doubt.Wanted, doubt.Believed])
            {
                var text = value is { } v ? PostgresText.FromJson(doubt.Column.Type, v) : null;
                command.Parameters.Add(KeyLookup.Parameter(text));
                fields.Add($"${command.Parameters.Count.ToString(CultureInfo.InvariantCulture)}::{doubt.ComparedAs}");
            }
        }

        command.CommandText = $"SELECT ROW({string.Join(',', fields)})::text";
        return command;
    }

    private static NpgsqlBatchCommand Insert(TableSchema table, WritePlan plan)
    {
        var command = new NpgsqlBatchCommand();
        var columns = plan.Values.Select(static v => TableName.Quote(v.Column.Name));
        var overriding = plan.Values.Any(static v => v.Column.AlwaysIdentity) ? "OVERRIDING SYSTEM VALUE " : "";
        var source = plan.Values.Count == 0
            ? "DEFAULT VALUES"
            : $"({string.Join(',', columns)}) {overriding}VALUES ({string.Join(',', Parameters(command, plan))})";
        command.CommandText = $"INSERT INTO {table.Name.Sql} AS t {source} RETURNING {RowImage.Sql(table, "t")}";
        return command;
    }

    private static NpgsqlBatchCommand Update(TableSchema table, WritePlan plan)
    {
        var command = new NpgsqlBatchCommand();
        var assignments = Parameters(command, plan).Zip(
            plan.Values, static (p, v) => $"{TableName.Quote(v.Column.Name)} = {p}").ToList();
        command.CommandText = $"UPDATE {table.Name.Sql} AS t SET {string.Join(',', assignments)} "
            + $"WHERE {Where(command, table, plan)} RETURNING {RowImage.Sql(table, "t")}";
        return command;
    }

    private static NpgsqlBatchCommand Delete(TableSchema table, WritePlan plan)
    {
        var command = new NpgsqlBatchCommand();
        command.CommandText =
            $"DELETE FROM {table.Name.Sql} AS t WHERE {Where(command, table, plan)} RETURNING {RowImage.Sql(table, "t")}";
        return command;
    }

    // The cast goes to the type without its length: from there the server assigns as it does for everyone, and
    // refuses what is too long, where an explicit cast to the column's full type would cut it off.
    private static List<string> Parameters(NpgsqlBatchCommand command, WritePlan plan)
    {
        var parameters = new List<string>();
        foreach (var (column, text) in plan.Values)
        {
            command.Parameters.Add(KeyLookup.Parameter(text));
            parameters.Add(Cast(command.Parameters.Count, column));
        }

        return parameters;
    }

    private static string Where(NpgsqlBatchCommand command, TableSchema table, WritePlan plan)
    {
        var conditions = new List<string>();
        var parts = plan.Key.Parts();
        for (var i = 0; i < table.Key.Count; i++)
        {
            command.Parameters.Add(KeyLookup.Parameter(parts[i]));
            conditions.Add($"t.{TableName.Quote(table.Key[i].Name)} = {Cast(command.Parameters.Count, table.Key[i])}");
        }

        return string.Join(" AND ", conditions);
    }

    /// <summary>A parameter read as the column's type, without its length.</summary>
    internal static string Cast(int parameter, ColumnSchema column) =>
        string.Create(CultureInfo.InvariantCulture, $"${parameter}::{column.BaseType.Name}");
}
