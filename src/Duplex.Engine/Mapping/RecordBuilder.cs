using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Collects values by path and writes them as one nested JSON object. Not thread-safe; reusable after
/// <see cref="Clear"/>.</summary>
public sealed class RecordBuilder
{
    private readonly List<(FieldPath Path, FieldValue Value)> _fields = [];

    /// <summary>How many values were set.</summary>
    public int Count => _fields.Count;

    /// <summary>Sets a value. Absent and unchanged values are not written; null is.</summary>
    public void Set(FieldPath path, FieldValue value)
    {
        if (value.State is FieldState.Null or FieldState.Present)
        {
            _fields.Add((path, value));
        }
    }

    /// <summary>Empties it.</summary>
    public void Clear() => _fields.Clear();

    /// <summary>The record; members in the order in which they were set, nested ones grouped.</summary>
    public Record Build() => new(JsonScratch.Write(this, static (writer, builder) => builder.WriteLevel(writer, 0, 0)));

    /// <summary>Writes the members below the first <paramref name="depth"/> names of the field at
    /// <paramref name="first"/>.</summary>
    private void WriteLevel(Utf8JsonWriter writer, int first, int depth)
    {
        writer.WriteStartObject();
        for (var i = first; i < _fields.Count; i++)
        {
            var (path, value) = _fields[i];
            if (!Shares(first, i, depth))
            {
                continue;
            }

            if (path.Names.Count == depth + 1)
            {
                writer.WritePropertyName(path.Encoded[depth]);
                WriteValue(writer, value);
            }
            else if (!IsWritten(first, i, depth))
            {
                writer.WritePropertyName(path.Encoded[depth]);
                WriteLevel(writer, i, depth + 1);
            }
        }

        writer.WriteEndObject();
    }

    /// <summary>Whether a field lies below the same first names as another.</summary>
    private bool Shares(int field, int other, int depth)
    {
        var (left, right) = (_fields[field].Path.Names, _fields[other].Path.Names);
        if (right.Count <= depth)
        {
            return false;
        }

        for (var i = 0; i < depth; i++)
        {
            if (!string.Equals(left[i], right[i], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether an earlier field has opened the nested object that this one belongs to.</summary>
    private bool IsWritten(int first, int field, int depth)
    {
        for (var i = first; i < field; i++)
        {
            if (_fields[i].Path.Names.Count > depth + 1 && Shares(field, i, depth + 1))
            {
                return true;
            }
        }

        return false;
    }

    private static void WriteValue(Utf8JsonWriter writer, FieldValue value)
    {
        if (value.State == FieldState.Null)
        {
            writer.WriteNullValue();
        }
        else
        {
            value.Element.WriteTo(writer);
        }
    }
}
