using System.Buffers;
using System.Text.Json;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>
/// Partial JSON objects against whole ones: a nested object in a write names only the members to set.
/// </summary>
internal static class FieldMerge
{
    /// <summary>
    /// Whether the value already is what is wanted: equal, or for objects, equal in every member that is wanted. A
    /// member that is absent equals null. Numbers are compared by value, with all their digits.
    /// </summary>
    public static bool Covers(JsonElement current, JsonElement wanted)
    {
        if (wanted.ValueKind != JsonValueKind.Object || current.ValueKind != JsonValueKind.Object)
        {
            return JsonElement.DeepEquals(current, wanted);
        }

        foreach (var member in wanted.EnumerateObject())
        {
            var covered = current.TryGetProperty(member.Name, out var value)
                ? Covers(value, member.Value)
                : member.Value.ValueKind == JsonValueKind.Null;
            if (!covered)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// The current object with the wanted members set in it, at every depth; anything else is replaced.
    /// </summary>
    public static JsonElement Merge(JsonElement current, JsonElement wanted)
    {
        if (wanted.ValueKind != JsonValueKind.Object || current.ValueKind != JsonValueKind.Object)
        {
            return wanted;
        }

        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output))
        {
            Write(current, wanted, writer);
        }

        return JsonElement.Parse(output.WrittenSpan);
    }

    private static void Write(JsonElement current, JsonElement wanted, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var member in current.EnumerateObject())
        {
            writer.WritePropertyName(member.Name);
            if (!wanted.TryGetProperty(member.Name, out var value))
            {
                member.Value.WriteTo(writer);
            }
            else if (value.ValueKind == JsonValueKind.Object && member.Value.ValueKind == JsonValueKind.Object)
            {
                Write(member.Value, value, writer);
            }
            else
            {
                value.WriteTo(writer);
            }
        }

        foreach (var member in wanted.EnumerateObject().Where(m => !current.TryGetProperty(m.Name, out _)))
        {
            member.WriteTo(writer);
        }

        writer.WriteEndObject();
    }
}
