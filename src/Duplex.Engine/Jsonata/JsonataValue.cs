using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata;

/// <summary>The result of an evaluation. It refers to the document that the input came from, which has to outlive
/// it.</summary>
public readonly struct JsonataValue
{
    private readonly Value _value;

    internal JsonataValue(in Value value) => _value = value;

    /// <summary>The expression has no result; there is nothing to write.</summary>
    public bool IsUndefined => _value.IsUndefined;

    /// <summary>What is written; <see cref="JsonValueKind.Undefined"/> if there is nothing. A function is written as an
    /// empty string.</summary>
    public JsonValueKind ValueKind => _value.Kind switch
    {
        Values.ValueKind.Undefined => JsonValueKind.Undefined,
        Values.ValueKind.Null => JsonValueKind.Null,
        Values.ValueKind.Boolean => _value.IsTrue ? JsonValueKind.True : JsonValueKind.False,
        Values.ValueKind.Number => JsonValueKind.Number,
        Values.ValueKind.Array => JsonValueKind.Array,
        Values.ValueKind.Object => JsonValueKind.Object,
        _ => JsonValueKind.String,
    };

    /// <summary>The text if it is a string, else null.</summary>
    public string? GetString() => _value.Kind == Values.ValueKind.String ? _value.Text : null;

    /// <summary>As <c>$boolean</c> sees it: false for what is undefined, null, zero, empty, or an array without anything
    /// that is true.</summary>
    /// <param name="limits">What the look into an array may use.</param>
    /// <param name="clock">Measures the time that it takes.</param>
    /// <exception cref="InvalidOperationException">The look exceeds the limits.</exception>
    public bool IsTruthy(JsonataLimits limits, TimeProvider clock)
    {
        try
        {
            return Logic.IsTrue(_value, new(limits, clock));
        }
        catch (JsonataException e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }

    /// <summary>Writes the value; null if it is undefined. What was only copied from the input is written with the text
    /// that it has there.</summary>
    /// <param name="writer">Gets one JSON value. Its <see cref="JsonWriterOptions.MaxDepth"/> has to allow for the
    /// input's depth and <see cref="JsonataExpression.ResultDepthMax"/> on top.</param>
    public void WriteTo(Utf8JsonWriter writer) => JsonOutput.Write(writer, _value);

    /// <summary>The value as JSON text in UTF-8.</summary>
    public byte[] ToUtf8()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(buffer, options))
            WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }
}
