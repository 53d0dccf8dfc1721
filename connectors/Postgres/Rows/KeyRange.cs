using System.Globalization;
using Duplex.Connectors.Postgres.Catalog;
using Npgsql;

namespace Duplex.Connectors.Postgres.Rows;

/// <summary>A statement that reads a table's rows in the order of their keys, a part at a time.</summary>
internal static class KeyRange
{
    /// <summary>The statement; its first column is the row's image.</summary>
    /// <param name="table">The table; it has a key.</param>
    /// <param name="after">The texts of the key after which it starts; null for the first rows.</param>
    /// <param name="rowsMax">How many rows at most.</param>
    /// <param name="more">Further columns: <c>, now()</c>.</param>
    public static NpgsqlCommand Command(
        TableSchema table, IReadOnlyList<string>? after, int rowsMax, string more = "")
    {
        var key = string.Join(',', table.Key.Select(static c => $"t.{TableName.Quote(c.Name)}"));
        var parts = string.Join(',', table.Key.Select(static (c, i) => $"${i + 1}::{c.BaseType.Name}"));
        var where = after is null ? "" : $"WHERE ({key}) > ({parts}) ";
        var command = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture,
            $"SELECT {RowImage.Sql(table, "t")}{more} FROM {table.Name.Sql} t {where}ORDER BY {key} LIMIT {rowsMax}"));
        foreach (var part in after ?? [])
        {
            command.Parameters.Add(KeyLookup.Parameter(part));
        }

        return command;
    }
}
