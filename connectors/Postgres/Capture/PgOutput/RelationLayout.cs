using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Connectors.Postgres.Values;

namespace Duplex.Connectors.Postgres.Capture.PgOutput;

/// <summary>
/// Everything about a table that is the same for each of its changes, prepared as bytes: member names, key columns, the
/// constant part of <c>source</c>.
/// </summary>
internal sealed class RelationLayout
{
    /// <summary>Prepares a table's layout.</summary>
    /// <param name="message">The table as the log describes it.</param>
    /// <param name="stream">The stream's name; null when no sync reads the table.</param>
    /// <param name="types">The columns' types, in order.</param>
    /// <param name="key">The key's columns, in the key's order.</param>
    /// <param name="connection">The connection's name.</param>
    public RelationLayout(
        RelationMessage message, string? stream, IReadOnlyList<PostgresType> types, IReadOnlyList<int> key,
            string connection)
    {
        Message = message;
        Stream = stream;
        Types = [.. types];
        Key = [.. key];
        Members = [.. message.Columns.Select(static c => Encode(c.Name, ":"))];
        Names = [.. message.Columns.Select(static c => Encode(c.Name, ""))];
        Source = SourceOf(connection, stream ?? "");
    }

    public RelationMessage Message { get; }

    public string? Stream { get; }

    public PostgresType[] Types { get; }

    public int[] Key { get; }

    /// <summary><c>"name":</c> of each column.</summary>
    public byte[][] Members { get; }

    /// <summary><c>"name"</c> of each column.</summary>
    public byte[][] Names { get; }

    /// <summary><c>,"source":{…,"pos":"</c>.</summary>
    public byte[] Source { get; }

    /// <summary>The part of the envelope that is the same for every change of a stream.</summary>
    public static byte[] SourceOf(string connection, string stream) => Encoding.UTF8.GetBytes($$"""
        ,"source":{"connector":"postgres","name":{{Json(connection)}},"stream":{{Json(stream)}},"pos":"
        """);

    private static byte[] Encode(string name, string tail)
    {
        var bytes = new ArrayBufferWriter<byte>();
        JsonText.WriteString(Encoding.UTF8.GetBytes(name), bytes);
        return [.. bytes.WrittenSpan, .. Encoding.UTF8.GetBytes(tail)];
    }

    private static string Json(string text) =>
        $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
