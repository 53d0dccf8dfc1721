using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>Reads CloudEvents 1.0: the event is their data, <c>source</c> and <c>id</c> are its delivery id, and
/// <c>time</c> is when it happened where the data does not say.</summary>
public static class CloudEvents
{
    private const int CharactersMax = 1_024;
    private const string SpecVersion = "1.0";

    /// <summary>Checks one event in the structured form and adds its data to the batch, as
    /// <see cref="IngestDoor.Check"/> does.</summary>
    public static IngestRefusal? Check(
        IngestDoor door, ReadOnlyMemory<byte> body, in DeliveryNote note, ChangeBatch batch, out TableRoute? route)
    {
        ArgumentNullException.ThrowIfNull(door);
        route = null;
        if (body.Length > door.Model.BodyBytesMax)
        {
            return IngestRefusal.TooLarge(door.Model.BodyBytesMax);
        }

        if (PostedJson.Parse(body, out var document) is { } malformed)
        {
            return malformed;
        }

        using (document)
        {
            var root = document!.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return IngestRefusal.NoObject;
            }

            if (Note(Text(root, "specversion"), Text(root, "type"), Text(root, "source"), Text(root, "id"),
                Text(root, "time"), note, out var told) is { } wrong)
            {
                return wrong;
            }

            if (root.TryGetProperty("data"u8, out var data))
            {
                return door.CheckParsed(data, told, batch, out route);
            }

            return root.TryGetProperty("data_base64"u8, out var encoded)
                && encoded.ValueKind == JsonValueKind.String && encoded.TryGetBytesFromBase64(out var bytes)
                ? door.Check(bytes, told, batch, out route)
                : IngestRefusal.Wrong("data is missing", "data");
        }
    }

    /// <summary>What a CloudEvent's attributes say about its data, or what is wrong with them.</summary>
    public static IngestRefusal? Note(
        string? specVersion, string? type, string? source, string? id, string? time, in DeliveryNote note,
        out DeliveryNote told)
    {
        told = note;
        if (specVersion != SpecVersion)
        {
            return IngestRefusal.Wrong($"specversion must be {SpecVersion}", "specversion");
        }

        foreach (var (name, value) in new[] { ("id", id), ("source", source), ("type", type) })
        {
            if (value is not { Length: > 0 and <= CharactersMax })
            {
                return IngestRefusal.Wrong($"{name} must be a text of 1 to {CharactersMax} characters", name);
            }
        }

        // A source is a URI reference and has no space, so that no two pairs are alike.
        told = note with { Id = $"{source} {id}", SourceMicros = PostedTime.Micros(time) };
        return null;
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
