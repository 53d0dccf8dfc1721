using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Collects values by path and writes them as one nested JSON object. Not thread-safe; reusable after <see cref="Clear"/>.</summary>
public sealed class RecordBuilder
{
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

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
    public Record Build()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            WriteLevel(writer, _fields, 0);
        }

        return new Record(buffer.WrittenMemory);
    }

    private static void WriteLevel(Utf8JsonWriter writer, List<(FieldPath Path, FieldValue Value)> fields, int depth)
    {
        writer.WriteStartObject();
        var nested = default(HashSet<string>);
        for (var i = 0; i < fields.Count; i++)
        {
            var (path, value) = fields[i];
            var name = path.Names[depth];
            if (path.Names.Count == depth + 1)
            {
                writer.WritePropertyName(name);
                WriteValue(writer, value);
            }
            else if ((nested ??= []).Add(name))
            {
                writer.WritePropertyName(name);
                WriteLevel(writer, fields.FindAll(f => f.Path.Names.Count > depth + 1 && f.Path.Names[depth] == name), depth + 1);
            }
        }

        writer.WriteEndObject();
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
