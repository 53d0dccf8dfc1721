namespace Duplex.Connectors.Postgres.Values;

/// <summary>Which JSON form the values of a type take.</summary>
public enum PostgresKind : byte
{
    /// <summary>
    /// A JSON string with PostgreSQL's own text form: text, dates, ranges, composites, <c>bytea</c>, and every type
    /// not named below.
    /// </summary>
    Text,
    /// <summary>A JSON number: <c>int2</c>, <c>int4</c>, <c>int8</c>, <c>oid</c>.</summary>
    Integer,
    /// <summary>
    /// A JSON number with all its digits, or a JSON string for NaN and the infinities: <c>numeric</c>, <c>float4</c>,
    /// <c>float8</c>.
    /// </summary>
    Number,
    /// <summary>A JSON boolean.</summary>
    Boolean,
    /// <summary>
    /// The document itself where it is an object, array, number or boolean; a JSON string with the document's text
    /// where it is a string or null (<c>"\"abc\""</c>, <c>"null"</c>), so that a JSON null and an SQL NULL stay
    /// apart.
    /// </summary>
    Json,
    /// <summary>
    /// A JSON array of the elements' forms, nested for further dimensions; a JSON string where bounds do not start at
    /// 1.
    /// </summary>
    Array,
}
