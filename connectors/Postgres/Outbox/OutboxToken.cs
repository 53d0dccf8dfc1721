using System.Text;
using System.Text.Json;
using Duplex.Connectors.Postgres.Capture;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Outbox;

/// <summary>
/// The part of a position that only capture by outbox reads: how far the snapshot of each stream has got.
/// </summary>
internal sealed record OutboxToken(IReadOnlyDictionary<string, StreamProgress> Streams)
{
    private const string Kind = "outbox1";

    /// <summary>The streams whose rows are not all read.</summary>
    public IEnumerable<string> Pending => Streams.Where(static s => !s.Value.Done).Select(static s => s.Key);

    /// <summary>The same token with other progress of one stream.</summary>
    public OutboxToken With(string stream, StreamProgress progress) =>
        new(new Dictionary<string, StreamProgress>(Streams) { [stream] = progress });

    /// <summary>The JSON form.</summary>
    public string Write()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", Kind);
            StreamProgress.WriteAll(writer, Streams);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Reads the JSON form.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>: the position is of another capture mode or
    /// version.</exception>
    public static OutboxToken Read(Position position)
    {
        try
        {
            using var document = JsonDocument.Parse(position.Token ?? "{}");
            if (document.RootElement.TryGetProperty("kind", out var kind) && kind.GetString() == Kind)
            {
                return new OutboxToken(StreamProgress.ReadAll(document.RootElement));
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw OtherMode(e);
        }

        throw OtherMode(null);
    }

    private static SyncException OtherMode(Exception? cause) => new(
        ErrorCode.SourceGap,
        "The saved position was not made by capture from an outbox; what happened since cannot be known from it.",
        "Run duplex resnapshot on the connection, or set capture back to what it was.",
        cause);
}
