using System.Text;

namespace Duplex.Connectors.Postgres.Capture.PgOutput;

/// <summary>A table as the log describes it at the position where the message stands.</summary>
/// <param name="Oid">The table's oid.</param>
/// <param name="Schema">The schema.</param>
/// <param name="Table">The table.</param>
/// <param name="Identity">The replica identity: <c>d</c> default, <c>f</c> full, <c>i</c> index, <c>n</c>
/// nothing.</param>
/// <param name="Columns">The published columns in their order.</param>
internal sealed record RelationMessage(
    uint Oid, string Schema, string Table, char Identity, IReadOnlyList<RelationColumn> Columns)
{
    /// <summary>Reads the message, its first letter included.</summary>
    public static RelationMessage Read(ReadOnlySpan<byte> message)
    {
        var bytes = new MessageBytes(message);
        bytes.Byte();
        var oid = (uint)bytes.Int32();
        var schema = Encoding.UTF8.GetString(bytes.Text());
        var table = Encoding.UTF8.GetString(bytes.Text());
        var identity = (char)bytes.Byte();
        var columns = new RelationColumn[bytes.Int16()];
        for (var i = 0; i < columns.Length; i++)
        {
            var flags = bytes.Byte();
            var name = Encoding.UTF8.GetString(bytes.Text());
            columns[i] = new RelationColumn(name, (uint)bytes.Int32(), (flags & 1) != 0);
            bytes.Int32();
        }

        // An empty schema name stands for pg_catalog.
        return new RelationMessage(oid, schema.Length == 0 ? "pg_catalog" : schema, table, identity, columns);
    }

    /// <summary>Whether both describe the same table with the same columns.</summary>
    public bool IsSame(RelationMessage other) =>
        Oid == other.Oid && Schema == other.Schema && Table == other.Table && Identity == other.Identity
        && Columns.SequenceEqual(other.Columns);
}

/// <summary>A column of a <see cref="RelationMessage"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type's oid.</param>
/// <param name="InIdentity">Whether the replica identity holds it.</param>
internal sealed record RelationColumn(string Name, uint Type, bool InIdentity);
