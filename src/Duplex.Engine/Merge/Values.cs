using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Merge;

/// <summary>The values of every rule on one side of a pair, by rule index.</summary>
internal static class Values
{
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

    /// <summary>Reads the image after a change; of a change without one every field is absent.</summary>
    public static FieldValue[] Of(IReadOnlyList<CompiledRule> rules, Side side, Change change) => change.After is null
        ? new FieldValue[rules.Count]
        : Read(rules, side, change.After.Root, change.Unchanged);

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
    public static byte[] ToShadow(IReadOnlyList<CompiledRule> rules, Side side, FieldValue[] values) =>
        JsonScratch.Write((rules, side, values), static (writer, s) =>
        {
            writer.WriteStartObject();
            for (var i = 0; i < s.rules.Count; i++)
            {
                var name = s.rules[i].ShadowName(s.side);
                if (name.Length > 0 && s.values[i].State != FieldState.Unchanged && !IsTold(s.rules, s.side, s.values, i))
                {
                    writer.WritePropertyName(name);
                    WriteStored(writer, s.values[i]);
                }
            }

            writer.WriteEndObject();
        });

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
        var written = new List<string>(rules.Count);
        foreach (var (rule, value) in fields)
        {
            var name = rules[rule].ShadowName(side);
            if (value.State != FieldState.Unchanged && !written.Contains(name))
            {
                written.Add(name);
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

    /// <summary>Whether an earlier rule of the same name has a value to tell.</summary>
    private static bool IsTold(IReadOnlyList<CompiledRule> rules, Side side, FieldValue[] values, int rule)
    {
        var name = rules[rule].ShadowName(side);
        for (var i = 0; i < rule; i++)
        {
            if (values[i].State != FieldState.Unchanged && rules[i].ShadowName(side) == name)
            {
                return true;
            }
        }

        return false;
    }
}
