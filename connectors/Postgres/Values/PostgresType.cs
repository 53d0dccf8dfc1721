using System.Collections.Frozen;

namespace Duplex.Connectors.Postgres.Values;

/// <summary>
/// A type of a PostgreSQL server, as far as its values' JSON form depends on it. Domains are resolved to their base.
/// </summary>
/// <param name="Oid">The type's oid (a domain's own, not its base's).</param>
/// <param name="Name">The name as SQL accepts it anywhere, qualified and quoted: <c>pg_catalog.int4</c>,
/// <c>public."Mood"</c>.</param>
/// <param name="Kind">The JSON form.</param>
public sealed record PostgresType(uint Oid, string Name, PostgresKind Kind)
{
    /// <summary>A type whose values are text.</summary>
    public static readonly PostgresType Text = new(25, "pg_catalog.text", PostgresKind.Text);

    private static readonly FrozenDictionary<uint, PostgresType> BuiltIns = MakeBuiltIns();

    /// <summary>The type of an array's elements; null for other types.</summary>
    public PostgresType? Element { get; init; }

    /// <summary>What parts an array's elements in its text form: a comma, except for <c>box</c>.</summary>
    public char Delimiter { get; init; } = ',';

    /// <summary>The type under a domain (never a domain itself); null for other types.</summary>
    public PostgresType? Base { get; init; }

    /// <summary>The labels of an enum, in order; null for other types.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>A built-in type by oid, arrays of them included; null when the catalog must be asked.</summary>
    public static PostgresType? BuiltIn(uint oid) => BuiltIns.GetValueOrDefault(oid);

    /// <summary>
    /// The JSON form of a built-in base type by its oid; <see cref="PostgresKind.Text"/> for all others.
    /// </summary>
    internal static PostgresKind KindOf(uint oid) => oid switch
    {
        16 => PostgresKind.Boolean,
        20 or 21 or 23 or 26 => PostgresKind.Integer,
        700 or 701 or 1700 => PostgresKind.Number,
        114 or 3802 => PostgresKind.Json,
        _ => PostgresKind.Text,
    };

    private static FrozenDictionary<uint, PostgresType> MakeBuiltIns()
    {
        (uint Oid, uint Array, string Name)[] types =
        [
            (16, 1000, "bool"), (17, 1001, "bytea"), (18, 1002, "\"char\""), (19, 1003, "name"), (20, 1016, "int8"),
            (21, 1005, "int2"), (23, 1007, "int4"), (25, 1009, "text"), (26, 1028, "oid"), (28, 1011, "xid"),
            (114, 199, "json"), (142, 143, "xml"), (600, 1017, "point"), (601, 1018, "lseg"), (602, 1019, "path"),
            (603, 1020, "box"), (604, 1027, "polygon"), (628, 629, "line"), (650, 651, "cidr"), (700, 1021, "float4"),
            (701, 1022, "float8"), (718, 719, "circle"), (774, 775, "macaddr8"), (790, 791, "money"),
            (829, 1040, "macaddr"),
            (869, 1041, "inet"), (1042, 1014, "bpchar"), (1043, 1015, "varchar"), (1082, 1182, "date"),
            (1083, 1183, "time"),
            (1114, 1115, "timestamp"), (1184, 1185, "timestamptz"), (1186, 1187, "interval"), (1266, 1270, "timetz"),
            (1560, 1561, "bit"), (1562, 1563, "varbit"), (1700, 1231, "numeric"), (2950, 2951, "uuid"),
            (3220, 3221, "pg_lsn"),
            (3614, 3643, "tsvector"), (3615, 3645, "tsquery"), (3802, 3807, "jsonb"), (3904, 3905, "int4range"),
            (3906, 3907, "numrange"), (3908, 3909, "tsrange"), (3910, 3911, "tstzrange"), (3912, 3913, "daterange"),
            (3926, 3927, "int8range"), (4072, 4073, "jsonpath"), (4451, 6150, "int4multirange"),
            (4532, 6151, "nummultirange"),
            (4533, 6152, "tsmultirange"), (4534, 6153, "tstzmultirange"), (4535, 6155, "datemultirange"),
            (4536, 6157, "int8multirange"), (5069, 271, "xid8"),
        ];
        var all = new Dictionary<uint, PostgresType>();
        foreach (var (oid, array, name) in types)
        {
            var type = new PostgresType(oid, "pg_catalog." + name, KindOf(oid));
            all[oid] = type;
            all[array] = new PostgresType(array, $"pg_catalog.{name}[]", PostgresKind.Array)
            {
                Element = type,
                Delimiter = oid == 603 ? ';' : ',',
            };
        }

        return all.ToFrozenDictionary();
    }
}
