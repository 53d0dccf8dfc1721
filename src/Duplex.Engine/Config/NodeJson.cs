using System.Buffers;
using System.Text.Json;

namespace Duplex.Engine.Config;

/// <summary>Turns configured nodes into JSON by YAML's core schema: plain <c>5</c> is a number, <c>"5"</c> and
/// <c>yes</c> are texts.</summary>
internal static class NodeJson
{
    public static JsonElement Of(ConfigNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(node, writer);
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static void Write(ConfigNode node, Utf8JsonWriter writer)
    {
        switch (node)
        {
            case MapNode map:
                writer.WriteStartObject();
                foreach (var (name, value) in map.Members)
                {
                    writer.WritePropertyName(name.Text);
                    Write(value, writer);
                }

                writer.WriteEndObject();
                break;
            case ListNode list:
                writer.WriteStartArray();
                foreach (var item in list.Items)
                {
                    Write(item, writer);
                }

                writer.WriteEndArray();
                break;
            case ScalarNode scalar:
                WriteScalar(scalar, writer);
                break;
        }
    }

    private static void WriteScalar(ScalarNode scalar, Utf8JsonWriter writer)
    {
        if (scalar.Quoted)
        {
            writer.WriteStringValue(scalar.Text);
        }
        else if (scalar.IsNull)
        {
            writer.WriteNullValue();
        }
        else if (scalar.Text is "true" or "false")
        {
            writer.WriteBooleanValue(scalar.Text == "true");
        }
        else if (IsNumber(scalar.Text))
        {
            writer.WriteRawValue(scalar.Text);
        }
        else
        {
            writer.WriteStringValue(scalar.Text);
        }
    }

    private static bool IsNumber(string text)
    {
        if (text.Length is 0 or > 100 || !(char.IsAsciiDigit(text[0]) || text[0] == '-'))
        {
            return false;
        }

        try
        {
            return JsonElement.Parse(text).ValueKind == JsonValueKind.Number;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
