using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Bench.Feeds;

/// <summary>Reads JSON token by token and writes it again: the least that a mapping could do.</summary>
internal sealed class JsonCopy : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(64 << 10);
    private readonly Utf8JsonWriter _writer;

    public JsonCopy() => _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    });

    public void Run(ReadOnlySpan<byte> utf8)
    {
        _buffer.ResetWrittenCount();
        _writer.Reset();
        var reader = new Utf8JsonReader(utf8);
        while (reader.Read())
            Write(ref reader);
        _writer.Flush();
    }

    public void Dispose() => _writer.Dispose();

    private void Write(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                _writer.WriteStartObject();
                break;
            case JsonTokenType.EndObject:
                _writer.WriteEndObject();
                break;
            case JsonTokenType.PropertyName:
                _writer.WritePropertyName(reader.ValueSpan);
                break;
            case JsonTokenType.String:
                _writer.WriteStringValue(reader.ValueSpan);
                break;
            default:
                _writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true);
                break;
        }
    }
}
