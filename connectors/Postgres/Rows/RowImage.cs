using System.Buffers;
using System.Text;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Rows;

/// <summary>
/// One row as the server writes it in <c>ROW(…)::text</c>: every column in its own lossless text form, NULL apart
/// from the empty text, whatever the types are. One text per row is also what makes a read cheap.
/// </summary>
public sealed class RowImage
{
    private readonly byte[] _text;
    private readonly (int Start, int Length)[] _fields;

    private RowImage(byte[] text, (int Start, int Length)[] fields)
    {
        _text = text;
        _fields = fields;
    }

    /// <summary>The number of fields.</summary>
    public int Count => _fields.Length;

    /// <summary>The SQL that gives the image of a table's row, all columns in the table's order.</summary>
    /// <param name="table">The table.</param>
    /// <param name="alias">The name that the row goes by in the statement, as SQL.</param>
    public static string Sql(TableSchema table, string alias)
    {
        ArgumentNullException.ThrowIfNull(table);
        return $"ROW({string.Join(',', table.Columns.Select(c => $"{alias}.{TableName.Quote(c.Name)}"))})::text";
    }

    /// <summary>Takes a row's text apart. The array is kept and changed.</summary>
    public static RowImage Parse(byte[] text, int fields)
    {
        ArgumentNullException.ThrowIfNull(text);
        var found = new (int Start, int Length)[fields];
        var read = 1;
        for (var i = 0; i < fields; i++)
        {
            found[i] = ReadField(text, ref read);
            read++;
        }

        return read == text.Length
            ? new RowImage(text, found)
            : throw new FormatException($"A row of {fields} fields was expected.");
    }

    /// <summary>Whether the field is NULL.</summary>
    public bool IsNull(int field) => _fields[field].Length < 0;

    /// <summary>The field's text form, UTF-8; empty for NULL.</summary>
    public ReadOnlySpan<byte> Text(int field) =>
        IsNull(field) ? default : _text.AsSpan(_fields[field].Start, _fields[field].Length);

    /// <summary>The text form of a column of the table that the image is of; null for NULL.</summary>
    internal string? TextOf(TableSchema table, ColumnSchema column)
    {
        for (var i = 0; i < table.Columns.Count; i++)
        {
            if (table.Columns[i] == column)
            {
                return IsNull(i) ? null : Encoding.UTF8.GetString(Text(i));
            }
        }

        return null;
    }

    /// <summary>The record, all columns in the table's order.</summary>
    public Record ToRecord(TableSchema table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return ToRecord(table.Columns);
    }

    /// <summary>The record of the given columns, which the image's fields stand for.</summary>
    public Record ToRecord(IReadOnlyList<ColumnSchema> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var output = new ArrayBufferWriter<byte>(_text.Length + (columns.Count * 16));
        WriteRecord(columns, output);
        return new Record(output.WrittenMemory);
    }

    /// <summary>Writes the record of the given columns, which the image's fields stand for.</summary>
    internal void WriteRecord(IReadOnlyList<ColumnSchema> columns, IBufferWriter<byte> output)
    {
        JsonText.WriteByte((byte)'{', output);
        for (var i = 0; i < columns.Count; i++)
        {
            JsonText.WriteRaw(columns[i].Prefix.Span[(i == 0 ? 1 : 0)..], output);
            if (IsNull(i))
            {
                JsonText.WriteRaw("null"u8, output);
            }
            else
            {
                PostgresText.WriteJson(columns[i].Type, Text(i), output);
            }
        }

        JsonText.WriteByte((byte)'}', output);
    }

    /// <summary>The record's key.</summary>
    public RecordKey ToKey(TableSchema table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return ToKey(table.KeyOrdinals);
    }

    /// <summary>The record's key, whose parts stand at the given fields.</summary>
    public RecordKey ToKey(IReadOnlyList<int> ordinals)
    {
        ArgumentNullException.ThrowIfNull(ordinals);
        var output = new ArrayBufferWriter<byte>(64);
        WriteKey(ordinals, output);
        return RecordKey.FromUtf8(output.WrittenSpan);
    }

    /// <summary>Writes the record's key in canonical form.</summary>
    internal void WriteKey(IReadOnlyList<int> ordinals, IBufferWriter<byte> output)
    {
        JsonText.WriteByte((byte)'[', output);
        for (var i = 0; i < ordinals.Count; i++)
        {
            if (i > 0)
            {
                JsonText.WriteByte((byte)',', output);
            }

            JsonText.WriteKeyPart(Text(ordinals[i]), output);
        }

        JsonText.WriteByte((byte)']', output);
    }

    /// <summary>The texts of the fields.</summary>
    internal string[] Texts(IReadOnlyList<int> ordinals) =>
        [.. ordinals.Select(o => Encoding.UTF8.GetString(Text(o)))];

    private static (int Start, int Length) ReadField(byte[] text, ref int read)
    {
        if (text[read] is (byte)',' or (byte)')')
        {
            return (read, -1);
        }

        var start = read;
        if (text[read] != (byte)'"')
        {
            while (text[read] is not ((byte)',' or (byte)')'))
            {
                read++;
            }

            return (start, read - start);
        }

        // Unquoted in place: the text only gets shorter.
        var write = start;
        read++;
        while (true)
        {
            var c = text[read++];
            if (c == (byte)'"' && text[read] != (byte)'"')
            {
                return (start, write - start);
            }

            if (c is (byte)'"' or (byte)'\\')
            {
                c = text[read++];
            }

            text[write++] = c;
        }
    }
}
