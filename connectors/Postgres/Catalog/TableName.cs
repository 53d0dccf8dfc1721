namespace Duplex.Connectors.Postgres.Catalog;

/// <summary>A table's schema and name as they are stored, without quotes and without case folding.</summary>
public readonly record struct TableName(string Schema, string Name)
{
    /// <summary>The name as SQL takes it, quoted.</summary>
    public string Sql => $"{Quote(Schema)}.{Quote(Name)}";

    /// <summary>Whether it lies in a schema of the server itself.</summary>
    public bool IsSystem => Schema == "information_schema" || Schema.StartsWith("pg_", StringComparison.Ordinal);

    /// <summary>
    /// Reads a stream's name: <c>public.customers</c>, or <c>customers</c> for the schema public. The first dot
    /// parts.
    /// </summary>
    public static TableName Parse(string stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var dot = stream.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? new TableName("public", stream) : new TableName(stream[..dot], stream[(dot + 1)..]);
    }

    /// <summary>Quotes an identifier for SQL.</summary>
    public static string Quote(string identifier)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        return $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>Quotes a text for SQL, where no parameter can stand.</summary>
    public static string Literal(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var quoted = $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
        return text.Contains('\\', StringComparison.Ordinal)
            ? " E" + quoted.Replace("\\", "\\\\", StringComparison.Ordinal)
            : quoted;
    }

    /// <summary>The stream's name: <c>public.customers</c>.</summary>
    public override string ToString() => $"{Schema}.{Name}";
}
