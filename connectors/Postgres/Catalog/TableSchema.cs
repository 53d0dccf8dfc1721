using System.Buffers;
using System.Text;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Catalog;

/// <summary>A table as the server's catalog describes it. Immutable.</summary>
public sealed class TableSchema
{
    private readonly Dictionary<string, ColumnSchema> _byName;

    /// <summary>Describes a table.</summary>
    public TableSchema(
        TableName name, uint oid, char kind, char replicaIdentity, IReadOnlyList<ColumnSchema> columns,
        IReadOnlyList<TableConstraint> constraints)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(constraints);
        Name = name;
        Oid = oid;
        Kind = kind;
        ReplicaIdentity = replicaIdentity;
        Columns = columns;
        Constraints = constraints;
        _byName = columns.ToDictionary(static c => c.Name, StringComparer.Ordinal);
        KeyConstraint = constraints.FirstOrDefault(static c => c.Primary)
            ?? constraints.FirstOrDefault(static c => c.ReplicaIdentity);
        Key = KeyConstraint is null ? [] : [.. KeyConstraint.Columns.Select(c => _byName[c])];
        KeyOrdinals = [.. Key.Select(k => columns.ToList().IndexOf(k))];
    }

    /// <summary>Schema and name.</summary>
    public TableName Name { get; }

    /// <summary>The relation's oid.</summary>
    public uint Oid { get; }

    /// <summary>
    /// <c>pg_class.relkind</c>: <c>r</c> table, <c>p</c> partitioned table, <c>v</c> view, <c>m</c> materialized
    /// view, <c>f</c> foreign.
    /// </summary>
    public char Kind { get; }

    /// <summary>
    /// <c>pg_class.relreplident</c>: <c>d</c> default, <c>f</c> full, <c>i</c> index, <c>n</c> nothing.
    /// </summary>
    public char ReplicaIdentity { get; }

    /// <summary>The columns in the table's order, without dropped ones.</summary>
    public IReadOnlyList<ColumnSchema> Columns { get; }

    /// <summary>
    /// The columns of the record's key: the primary key's, else the replica identity index's; empty if there is
    /// neither.
    /// </summary>
    public IReadOnlyList<ColumnSchema> Key { get; }

    /// <summary>Where the key's columns stand in <see cref="Columns"/>.</summary>
    public IReadOnlyList<int> KeyOrdinals { get; }

    /// <summary>The constraint or index that <see cref="Key"/> comes from; null if there is none.</summary>
    public TableConstraint? KeyConstraint { get; }

    /// <summary>Primary key, unique, foreign key, check and exclusion constraints, and unique indexes.</summary>
    public IReadOnlyList<TableConstraint> Constraints { get; }

    /// <summary>The column of that exact name, or null.</summary>
    public ColumnSchema? Find(string column) => _byName.GetValueOrDefault(column);

    /// <summary>
    /// Whether the other table has the same columns, types and key, so that statements made for it are right.
    /// </summary>
    public bool HasShapeOf(TableSchema other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Oid == other.Oid
            && KeyOrdinals.SequenceEqual(other.KeyOrdinals)
            && Columns.Select(static c => (c.Name, c.Native, c.NotNull, c.Generated, c.AlwaysIdentity)).SequenceEqual(
                other.Columns.Select(static c => (c.Name, c.Native, c.NotNull, c.Generated, c.AlwaysIdentity)));
    }

    /// <summary>The table as the log and its publication tell it: without the columns that the server
    /// computes.</summary>
    public TableSchema WithoutGenerated() => Columns.Any(static c => c.Generated)
        ? new TableSchema(Name, Oid, Kind, ReplicaIdentity, [.. Columns.Where(static c => !c.Generated)], Constraints)
        : this;

    /// <summary>Says that the table has no key.</summary>
    public SyncException Keyless(ErrorCode code) => new(
        code, $"{Name} has no primary key, so that its rows cannot be told apart.",
        $"ALTER TABLE {Name.Sql} ADD PRIMARY KEY (…)");

    /// <summary>The contract's description of the table.</summary>
    public StreamSchema ToStreamSchema() => new(
        Name.ToString(),
        [.. Key.Select(static c => c.Name)],
        [.. Columns.Select(static c => c.ToField())]);
}

/// <summary>A column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Native">The type as <c>format_type</c> writes it, with its modifiers: <c>numeric(12,2)</c>.</param>
/// <param name="Modifier">The type modifier; -1 if there is none. A domain's own, if the column's type is a
/// domain.</param>
public sealed record ColumnSchema(string Name, PostgresType Type, string Native, int Modifier)
{
    /// <summary>Whether NULL is refused.</summary>
    public bool NotNull { get; init; }

    /// <summary>Whether the server has a value of its own for it: a default, an identity, a domain's default.</summary>
    public bool HasDefault { get; init; }

    /// <summary>Whether the server computes it, so that nobody can write it.</summary>
    public bool Generated { get; init; }

    /// <summary>Whether it is <c>GENERATED ALWAYS AS IDENTITY</c>.</summary>
    public bool AlwaysIdentity { get; init; }

    /// <summary>What stands before the column's value in a record: <c>,"name":</c>.</summary>
    internal ReadOnlyMemory<byte> Prefix { get; } = MakePrefix(Name);

    /// <summary>The type under a domain, or the type itself.</summary>
    public PostgresType BaseType => Type.Base ?? Type;

    /// <summary>The longest text in characters; null when there is no limit.</summary>
    public int? LengthMax => BaseType.Oid is 1042 or 1043 && Modifier >= 4 ? Modifier - 4 : null;

    /// <summary>The contract's description of the column.</summary>
    public FieldSchema ToField() => new(Name, FieldKindOf(BaseType))
    {
        Nullable = !NotNull,
        Writable = !Generated && !AlwaysIdentity,
        Required = NotNull && !HasDefault && !Generated,
        Values = BaseType.Labels,
        LengthMax = LengthMax,
        Native = Native,
    };

    private static ReadOnlyMemory<byte> MakePrefix(string name)
    {
        var output = new ArrayBufferWriter<byte>();
        JsonText.WriteByte((byte)',', output);
        JsonText.WriteString(Encoding.UTF8.GetBytes(name), output);
        JsonText.WriteByte((byte)':', output);
        return output.WrittenMemory;
    }

    private static FieldKind FieldKindOf(PostgresType type) => type.Kind switch
    {
        PostgresKind.Integer => FieldKind.Integer,
        PostgresKind.Number => FieldKind.Number,
        PostgresKind.Boolean => FieldKind.Boolean,
        PostgresKind.Json => FieldKind.Object,
        PostgresKind.Array => FieldKind.List,
        _ => type.Oid switch
        {
            1082 => FieldKind.Date,
            1114 => FieldKind.LocalTimestamp,
            1184 => FieldKind.Timestamp,
            _ => FieldKind.Text,
        },
    };
}

/// <summary>A constraint or unique index of a table.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">The columns it is about, in its order; without expressions.</param>
/// <param name="Primary">Whether it is the primary key.</param>
/// <param name="ReplicaIdentity">Whether it is the replica identity's index.</param>
public sealed record TableConstraint(string Name, IReadOnlyList<string> Columns, bool Primary, bool ReplicaIdentity);
