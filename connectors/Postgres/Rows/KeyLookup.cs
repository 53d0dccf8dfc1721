using System.Text;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;
using NpgsqlTypes;

namespace Duplex.Connectors.Postgres.Rows;

/// <summary>
/// Statements that find a table's rows by their keys. Keys travel as text and are read by the server as the columns'
/// types.
/// </summary>
internal static class KeyLookup
{
    /// <summary>
    /// A statement that gives the number of the key in the list (from 1) and the row's image, for each key that has a
    /// row.
    /// </summary>
    /// <param name="table">The table; it has a key.</param>
    /// <param name="keys">The keys; each with as many parts as the table's key has columns.</param>
    /// <param name="suffix">What follows in the statement, e.g. a lock: rows are locked in the order of their
    /// keys.</param>
    public static NpgsqlBatchCommand Command(TableSchema table, IReadOnlyList<RecordKey> keys, string suffix = "")
    {
        var names = table.Key.Select(static (_, i) => $"k{i}").ToList();
        var arrays = table.Key.Select(static (c, i) => $"${i + 1}::{c.BaseType.Name}[]");
        var equals = table.Key.Select(static (c, i) => $"t.{TableName.Quote(c.Name)} = k.k{i}");
        var order = table.Key.Select(static c => $"t.{TableName.Quote(c.Name)}");
        var command = new NpgsqlBatchCommand(
            $"SELECT k.n, {RowImage.Sql(table, "t")} FROM unnest({string.Join(',', arrays)}) "
            + $"WITH ORDINALITY AS k({string.Join(',', names)},n) JOIN {table.Name.Sql} t ON {string.Join(" AND ", equals)} "
            + $"ORDER BY {string.Join(',', order)} {suffix}");
        var parts = keys.Select(static k => k.Parts()).ToList();
        for (var i = 0; i < table.Key.Count; i++)
        {
            var column = i;
            command.Parameters.Add(Parameter(ArrayLiteral(parts.Select(p => p[column]))));
        }

        return command;
    }

    /// <summary>Reads what <see cref="Command"/> gives, into a list with one element per key.</summary>
    public static async Task<RowImage?[]> ReadAsync(
        NpgsqlDataReader reader, TableSchema table, int keys, CancellationToken cancellationToken)
    {
        var rows = new RowImage?[keys];
        while (await reader.ReadAsync(cancellationToken))
        {
            rows[reader.GetInt64(0) - 1] = RowImage.Parse(reader.GetFieldValue<byte[]>(1), table.Columns.Count);
        }

        return rows;
    }

    /// <summary>A parameter in text format whose type the statement tells.</summary>
    public static NpgsqlParameter Parameter(string? text) =>
        new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Unknown };

    private static string ArrayLiteral(IEnumerable<string> parts)
    {
        var literal = new StringBuilder("{");
        foreach (var part in parts)
        {
            literal.Append(literal.Length == 1 ? "\"" : ",\"");
            foreach (var c in part)
            {
                if (c is '"' or '\\')
                {
                    literal.Append('\\');
                }

                literal.Append(c);
            }

            literal.Append('"');
        }

        return literal.Append('}').ToString();
    }
}
