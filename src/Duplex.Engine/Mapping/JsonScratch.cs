using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Engine.Mapping;

/// <summary>Writes small JSON documents over a buffer that its thread keeps.</summary>
internal sealed class JsonScratch
{
    private const int KeptBytesMax = 64 << 10;

    [ThreadStatic]
    private static JsonScratch? _free;

    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly Utf8JsonWriter _writer;

    private JsonScratch() => _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    });

    /// <summary>The bytes of what is written, in an array of their own.</summary>
    public static byte[] Write<T>(T state, Action<Utf8JsonWriter, T> write)
    {
        var scratch = _free ?? new JsonScratch();
        _free = null;
        scratch._buffer.ResetWrittenCount();
        scratch._writer.Reset();
        write(scratch._writer, state);
        scratch._writer.Flush();
        var bytes = scratch._buffer.WrittenSpan.ToArray();
        if (scratch._buffer.Capacity <= KeptBytesMax)
        {
            _free = scratch;
        }

        return bytes;
    }
}
