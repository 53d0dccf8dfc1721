using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary>
/// <c>split</c>: one text on A, its parts on B (the last part keeps what is left over); <c>join</c> is the same with
/// the sides exchanged. A part that is missing is null and leaves no separator behind.
/// </summary>
/// <param name="separator">What stands between the parts.</param>
/// <param name="parts">How many parts there are; 0 for a list of any length.</param>
internal sealed class SplitLens(string separator, int parts) : Lens
{
    public override string Name => "split";

    public override FieldKind Left => FieldKind.Text;

    public override FieldKind Right => FieldKind.List;

    public override LensLoss BackwardLoss => LensLoss.Collapses;

    public override string? Loss =>
        "parts that hold the separator, or are missing before others, are divided anew on the way back";

    protected override LensResult Forward(JsonElement value)
    {
        if (!JsonText.TryText(value, out var text))
        {
            return LensResult.Failed($"split takes text, and the value is {JsonText.Describe(value)}.");
        }

        var pieces = parts == 0 ? text.Split(separator) : text.Split(separator, parts);
        var values = new FieldValue[Math.Max(parts, pieces.Length)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i < pieces.Length ? FieldValue.Of(JsonText.String(pieces[i])) : FieldValue.Null;
        }

        return JsonText.Array(values);
    }

    protected override LensResult Backward(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return LensResult.Failed($"join takes several texts, and the value is {JsonText.Describe(value)}.");
        }

        var pieces = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Null)
            {
                continue;
            }

            if (!JsonText.TryText(item, out var piece))
            {
                return LensResult.Failed($"join takes texts, and one value is {JsonText.Describe(item)}.");
            }

            pieces.Add(piece);
        }

        return pieces.Count == 0 && (parts > 0 || value.GetArrayLength() > 0)
            ? FieldValue.Null : JsonText.String(string.Join(separator, pieces));
    }
}

/// <summary><c>json</c>: any value on A, its JSON as text on B.</summary>
internal sealed class JsonLens(FieldKind left) : Lens
{
    public override string Name => "json";

    public override FieldKind Left => left;

    public override FieldKind Right => FieldKind.Text;

    public override LensLoss BackwardLoss => LensLoss.Collapses;

    protected override LensResult Forward(JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>(64);
        using (var writer =
            new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            value.WriteTo(writer);
        }

        return JsonText.String(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    protected override LensResult Backward(JsonElement value)
    {
        try
        {
            return JsonText.TryText(value, out var text)
                ? JsonElement.Parse(text) : LensResult.Failed("The value is not text.");
        }
        catch (JsonException)
        {
            return LensResult.Failed("The text is not JSON.");
        }
    }
}

/// <summary>
/// <c>text_map</c>: an object on A, a map of texts on B: numbers and truth values become their text, nested values
/// their JSON.
/// </summary>
internal sealed class TextMapLens(FieldKind left) : Lens
{
    public override string Name => "text_map";

    public override FieldKind Left => left;

    public override FieldKind Right => FieldKind.TextMap;

    public override LensLoss ForwardLoss => LensLoss.Collapses;

    public override string? Loss =>
        "every member is text on B and comes back as text, and members removed on one side stay on the other";

    protected override LensResult Forward(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            return LensResult.Failed($"text_map takes an object, and the value is {JsonText.Describe(value)}.");
        }

        var buffer = new ArrayBufferWriter<byte>(64);
        using (var writer =
            new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var member in value.EnumerateObject())
            {
                writer.WritePropertyName(member.Name);
                if (member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Null)
                {
                    member.Value.WriteTo(writer);
                }
                else
                {
                    writer.WriteStringValue(member.Value.GetRawText());
                }
            }

            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    protected override LensResult Backward(JsonElement value) => value.ValueKind == JsonValueKind.Object
        ? value : LensResult.Failed($"text_map takes an object, and the value is {JsonText.Describe(value)}.");
}
