using System.Text;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// The part of a <see cref="Position"/> that only this source reads: which history its numbers belong to, and how far
/// the snapshot of each stream has got. Immutable; a change makes another one.
/// </summary>
internal sealed record CaptureToken
{
    private const int Version = 1;

    /// <summary>The cluster's system identifier.</summary>
    public required string System { get; init; }

    /// <summary>The cluster's timeline.</summary>
    public required long Timeline { get; init; }

    /// <summary>The database's oid.</summary>
    public required uint Database { get; init; }

    /// <summary>The slot's name.</summary>
    public required string Slot { get; init; }

    /// <summary>Progress by stream.</summary>
    public required IReadOnlyDictionary<string, StreamProgress> Streams { get; init; }

    /// <summary>Whether a stream still has rows to read.</summary>
    public bool SnapshotPending => Streams.Values.Any(static s => !s.Done);

    /// <summary>The same token with other progress of one stream.</summary>
    public CaptureToken With(string stream, StreamProgress progress) =>
        this with { Streams = new Dictionary<string, StreamProgress>(Streams) { [stream] = progress } };

    /// <summary>The JSON form.</summary>
    public string Write()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteNumber("v", Version);
            writer.WriteString("system", System);
            writer.WriteNumber("timeline", Timeline);
            writer.WriteNumber("database", Database);
            writer.WriteString("slot", Slot);
            StreamProgress.WriteAll(writer, Streams);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Reads the JSON form; null when it is not one that this version knows.</summary>
    public static CaptureToken? Read(string? json)
    {
        if (json is null)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            return root.GetProperty("v").GetInt32() != Version
                ? null
                : new CaptureToken
                {
                    System = root.GetProperty("system").GetString()!,
                    Timeline = root.GetProperty("timeline").GetInt64(),
                    Database = root.GetProperty("database").GetUInt32(),
                    Slot = root.GetProperty("slot").GetString()!,
                    Streams = StreamProgress.ReadAll(root),
                };
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>How far the snapshot of one stream has got.</summary>
/// <param name="Table">The table's oid: a table that was dropped and made again is another one.</param>
/// <param name="Done">Whether every row was read.</param>
/// <param name="After">The key's text forms after which the next chunk starts; null before the first chunk.</param>
/// <param name="Rows">Rows read.</param>
internal sealed record StreamProgress(uint Table, bool Done, IReadOnlyList<string>? After = null, long Rows = 0)
{
    /// <summary>
    /// Keys (canonical JSON) of records that have to be read once more, because the log told only a part of them while
    /// the snapshot could not: an update that left out an unchanged large value.
    /// </summary>
    public IReadOnlyList<string> Again { get; init; } = [];

    /// <summary>Writes the member <c>streams</c> of a token.</summary>
    public static void WriteAll(Utf8JsonWriter writer, IReadOnlyDictionary<string, StreamProgress> streams)
    {
        writer.WriteStartObject("streams");
        foreach (var (name, progress) in streams)
        {
            writer.WritePropertyName(name);
            progress.Write(writer);
        }

        writer.WriteEndObject();
    }

    /// <summary>Reads the member <c>streams</c> of a token.</summary>
    public static Dictionary<string, StreamProgress> ReadAll(JsonElement token) =>
        token.GetProperty("streams").EnumerateObject()
            .ToDictionary(static p => p.Name, static p => Read(p.Value));

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("table", Table);
        writer.WriteBoolean("done", Done);
        writer.WriteNumber("rows", Rows);
        WriteList(writer, "after", After);
        WriteList(writer, "again", Again.Count == 0 ? null : Again);
        writer.WriteEndObject();
    }

    private static StreamProgress Read(JsonElement element) =>
        new(element.GetProperty("table").GetUInt32(), element.GetProperty("done").GetBoolean(),
            ReadList(element, "after"),
            element.GetProperty("rows").GetInt64())
        {
            Again = ReadList(element, "again") ?? [],
        };

    private static void WriteList(Utf8JsonWriter writer, string name, IReadOnlyList<string>? values)
    {
        if (values is null)
        {
            return;
        }

        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private static string[]? ReadList(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list)
            ? [.. list.EnumerateArray().Select(static e => e.GetString()!)] : null;
}
