using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Merge;

/// <summary>The values of every rule on one side of a pair, by rule index.</summary>
internal static class Values
{
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>Reads a record.</summary>
    public static FieldValue[] Read(
        IReadOnlyList<CompiledRule> rules, Side side, JsonElement record, IReadOnlyList<string> unchanged)
    {
        var values = new FieldValue[rules.Count];
        for (var i = 0; i < rules.Count; i++)
        {
            values[i] = rules[i].ShadowName(side).Length == 0
                ? FieldValue.Unchanged : rules[i].Read(side, record, unchanged);
        }

        return values;
    }

    /// <summary>Reads a shadow; members that it lacks are <see cref="FieldState.Unchanged"/>: nothing is known about
    /// them.</summary>
    public static FieldValue[] FromShadow(IReadOnlyList<CompiledRule> rules, Side side, ReadOnlyMemory<byte> shadow)
    {
        var values = new FieldValue[rules.Count];
        if (shadow.IsEmpty)
        {
            Array.Fill(values, FieldValue.Unchanged);
            return values;
        }

        var root = JsonElement.Parse(shadow.Span);
        for (var i = 0; i < rules.Count; i++)
        {
            values[i] = root.TryGetProperty(rules[i].ShadowName(side), out var element)
                ? Stored(element) : FieldValue.Unchanged;
        }

        return values;
    }

    /// <summary>Writes a shadow. Absent is kept apart from null: an object with the one member
    /// <c>$absent</c>.</summary>
    public static byte[] ToShadow(IReadOnlyList<CompiledRule> rules, Side side, FieldValue[] values)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < rules.Count; i++)
        {
            var name = rules[i].ShadowName(side);
            if (name.Length > 0 && values[i].State != FieldState.Unchanged && names.Add(name))
            {
                writer.WritePropertyName(name);
                WriteStored(writer, values[i]);
            }
        }

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes one value in the stored form.</summary>
    public static void WriteStored(Utf8JsonWriter writer, FieldValue value)
    {
        if (value.State == FieldState.Present)
        {
            value.Element.WriteTo(writer);
        }
        else if (value.State == FieldState.Null)
        {
            writer.WriteNullValue();
        }
        else
        {
            writer.WriteStartObject();
            writer.WriteBoolean("$absent"u8, true);
            writer.WriteEndObject();
        }
    }

    /// <summary>Reads one value in the stored form.</summary>
    public static FieldValue Stored(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$absent"u8, out _)
            ? FieldValue.Absent
            : FieldValue.Of(element);

    /// <summary>Builds a record of the given rules' values on a side. Absent is written as null: the field is to be
    /// emptied.</summary>
    public static Record Build(IReadOnlyList<CompiledRule> rules, Side side,
        IEnumerable<(int Rule, FieldValue Value)> fields)
    {
        var builder = new RecordBuilder();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (rule, value) in fields)
        {
            if (value.State != FieldState.Unchanged && names.Add(rules[rule].ShadowName(side)))
            {
                rules[rule].Write(side, value.State == FieldState.Absent ? FieldValue.Null : value, builder);
            }
        }

        return builder.Build();
    }

    /// <summary>The value as JSON text for people; empty for a value that is not there.</summary>
    public static string Text(FieldValue value) => value.State switch
    {
        FieldState.Present => value.Element.GetRawText(),
        FieldState.Null => "null",
        _ => "",
    };

    /// <summary>Whether there is nothing to carry over.</summary>
    public static bool IsEmpty(FieldValue value) =>
        value.State is FieldState.Absent or FieldState.Null or FieldState.Unchanged;
}
