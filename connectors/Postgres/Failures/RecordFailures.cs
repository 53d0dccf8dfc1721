using System.Globalization;
using System.Text.RegularExpressions;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Sink;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Failures;

/// <summary>What the server's refusal of one record says, with the field that is to blame.</summary>
internal static partial class RecordFailures
{
    /// <summary>The error of a record whose statement the server refused.</summary>
    public static SyncError Of(PostgresException failure, TableSchema table, WritePlan plan)
    {
        var constraint = table.Constraints.FirstOrDefault(c => c.Name == failure.ConstraintName);
        var columns = constraint is null ? "" : string.Join(", ", constraint.Columns);
        var field = Field(failure, table, plan) ?? constraint?.Columns.FirstOrDefault();
        var words = PostgresFailures.Words(failure);
        var rejected = new SyncError(ErrorCode.SinkRejected, "", field, Detail: words);
        return failure.SqlState switch
        {
            "23505" when constraint is { Primary: true } && plan.Request.Operation == WriteOperation.Create =>
                plan.Values.Any(v => table.Key.Contains(v.Column))
                    ? rejected with
                    {
                        Code = ErrorCode.SinkExists,
                        Message = $"{table.Name} has a row with this {columns} already.",
                    }
                    : rejected with
                    {
                        Message = $"The server gave the row a {columns} that {table.Name} has already: "
                            + "its sequence lags behind.",
                        Suggestion = $"SELECT setval(pg_get_serial_sequence('{table.Name.Sql}', '{columns}'), "
                            + $"max({TableName.Quote(table.Key[0].Name)})) FROM {table.Name.Sql}",
                    },
            "23505" => rejected with
            {
                Code = ErrorCode.SinkConstraint,
                Message = $"Another row of {table.Name} has the same {(columns.Length > 0 ? columns : "unique value")} "
                    + $"(constraint {failure.ConstraintName}).",
                Suggestion = "Match the two records by this field, or change one of them.",
            },
            "23502" => rejected with
            {
                Message = $"{table.Name}.{field} must not be null.",
                Suggestion = $"Map a value to {field}, or give the column a default.",
            },
            "23503" => rejected with
            {
                Code = ErrorCode.SinkConstraint,
                Message = plan.Request.Operation == WriteOperation.Delete
                    ? $"Rows of {failure.TableName ?? "another table"} refer to this row of {table.Name} "
                        + $"(constraint {failure.ConstraintName})."
                    : $"{table.Name}.{columns} refers to a row that does not exist (constraint {failure.ConstraintName}).",
            },
            "23514" or "23P01" => rejected with
            {
                Message = $"{table.Name} refuses the row by its constraint {failure.ConstraintName}.",
            },
            "22001" => rejected with
            {
                Message = $"{table.Name}.{field ?? "?"} takes at most {table.Find(field ?? "")?.LengthMax} characters.",
                Suggestion = "Shorten the value in the mapping, or widen the column.",
            },
            "428C9" => rejected with
            {
                Message = $"{table.Name}.{field ?? "?"} is computed by the server and cannot be written.",
            },
            _ => rejected with { Message = Other(failure, table, field) },
        };
    }

    private static string Other(PostgresException failure, TableSchema table, string? field)
    {
        if (failure.SqlState.StartsWith("22", StringComparison.Ordinal) && field is not null)
        {
            return $"{table.Name}.{field} ({table.Find(field)?.Native}) cannot hold the value.";
        }

        return failure.SqlState.StartsWith("P0", StringComparison.Ordinal)
            ? $"A trigger of {table.Name} refuses the row."
            : $"{table.Name} refuses the row ({failure.SqlState}).";
    }

    private static string? Field(PostgresException failure, TableSchema table, WritePlan plan)
    {
        if (!string.IsNullOrEmpty(failure.ColumnName))
        {
            return failure.ColumnName;
        }

        if (ParameterOfFailure().Match(failure.Where ?? "") is { Success: true } match)
        {
            var number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - 1;
            return number < plan.Values.Count
                ? plan.Values[number].Column.Name
                : table.Key.ElementAtOrDefault(number - plan.Values.Count)?.Name;
        }

        var culprit = failure.SqlState switch
        {
            "22001" => plan.Values.FirstOrDefault(static v => Length(v.Text) > v.Column.LengthMax),
            "22003" => plan.Values.FirstOrDefault(static v => Overflows(v.Column, v.Text)),
            "428C9" => plan.Values.FirstOrDefault(static v => v.Column.Generated || v.Column.AlwaysIdentity),
            _ => default,
        };
        return culprit.Column?.Name;
    }

    private static int Length(string? text) => text?.EnumerateRunes().Count() ?? 0;

    private static bool Overflows(ColumnSchema column, string? text)
    {
        if (text is null || column.BaseType.Oid != 1700 || column.Modifier < 4)
        {
            return false;
        }

        var precision = (column.Modifier - 4) >> 16;
        var scale = (column.Modifier - 4) & 0x7FF;
        var digits = text.TrimStart('-', '+').TrimStart('0').Split('.', 'e', 'E')[0].Length;
        return digits >= precision - scale;
    }

    [GeneratedRegex(@"parameter \$(\d+)")]
    private static partial Regex ParameterOfFailure();
}
