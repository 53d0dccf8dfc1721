using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Feeds;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>Decides whether a posted event may be stored, in the order that posters rely on: its table's schema comes
/// before everything that this server asks for itself.</summary>
internal static class EventCheck
{
    private const int IdCharactersMax = 255;
    private const int VersionBytesMax = 255;

    /// <summary>What is wrong, or null: then the key is written and the event is filled in.</summary>
    public static IngestRefusal? Run(
        in PostedEvent posted, TableSchema schema, in DeliveryNote note, ArrayBufferWriter<byte> key,
        out CheckedEvent change)
    {
        change = default;
        var operation = Operations.Read(posted.Operation, out var isCanonical);
        if (operation is null || (isCanonical && !posted.IsEnvelope) || schema.Breach(posted.Root) is null)
        {
            if (schema.Breach(posted.Root) is { } breach)
            {
                return IngestRefusal.Breach(breach);
            }

            return Fill(posted, posted.PrimaryKey, operation, schema, note, key, ref change);
        }

        var canonical = JsonElement.Parse(CanonicalForm.Of(posted, operation.Value, schema.KeyFields).Span);
        if (schema.Breach(canonical) is { } canonicalBreach)
        {
            return IngestRefusal.Breach(canonicalBreach);
        }

        canonical.TryGetProperty("primary_key"u8, out var primaryKey);
        return Fill(posted, primaryKey, operation, schema, note, key, ref change);
    }

    private static IngestRefusal? Fill(
        in PostedEvent posted, JsonElement primaryKey, ChangeOperation? operation, TableSchema schema,
        in DeliveryNote note, ArrayBufferWriter<byte> key, ref CheckedEvent change)
    {
        if (operation is null && posted.Operation.ValueKind != JsonValueKind.Undefined)
        {
            return IngestRefusal.Wrong("event_type must be INSERT, UPDATE or DELETE", "event_type");
        }

        // An event without an operation is the record itself.
        change.Operation = operation ?? ChangeOperation.Read;
        change.KeyFields = primaryKey;
        change.Before = posted.Before;
        change.After = operation is null && posted.After.ValueKind == JsonValueKind.Undefined
            ? posted.Root : posted.After;
        return CheckImage(change.Before, "before")
            ?? CheckImage(change.After, "after")
            ?? CheckAfter(change)
            ?? CheckVersion(posted.Version, ref change)
            ?? CheckIds(posted, primaryKey, note, ref change)
            ?? (PostedKey.Write(primaryKey, schema.KeyFields, key) is { } wrong
                ? IngestRefusal.Wrong(wrong, "primary_key") : null)
            ?? Identify(key, ref change)
            ?? Time(posted, note, ref change);
    }

    private static IngestRefusal? CheckImage(JsonElement image, string name) =>
        image.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object
            ? null : IngestRefusal.Wrong($"{name} must be an object", name);

    private static IngestRefusal? CheckAfter(in CheckedEvent change) =>
        change.Operation != ChangeOperation.Delete && change.After.ValueKind != JsonValueKind.Object
            ? IngestRefusal.Wrong("after is missing: only a DELETE leaves no record", "after")
            : null;

    private static IngestRefusal? CheckVersion(JsonElement version, ref CheckedEvent change)
    {
        if (version.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        if (version.ValueKind is not (JsonValueKind.String or JsonValueKind.Number)
            || JsonMarshal.GetRawUtf8Value(version).Length > VersionBytesMax)
        {
            return IngestRefusal.Wrong($"version must be a number or a text of up to {VersionBytesMax} bytes",
                "version");
        }

        change.Version = version;
        return null;
    }

    private static IngestRefusal? CheckIds(
        in PostedEvent posted, JsonElement primaryKey, in DeliveryNote note, ref CheckedEvent change)
    {
        var own = posted.EventId;
        if (own.ValueKind == JsonValueKind.Undefined && IsDelivery(posted.Id, primaryKey))
        {
            own = posted.Id;
        }

        if (note.Id is not null)
        {
            change.Id = note.Id;
            change.Delivery = DeliveryId.Name('c', note.Id);
        }
        else if (own.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
        {
            if (Text(own) is not { Length: > 0 and <= IdCharactersMax } text)
            {
                return IngestRefusal.Wrong(
                    string.Create(CultureInfo.InvariantCulture,
                        $"event_id must be a number or a text of 1 to {IdCharactersMax} characters"), "event_id");
            }

            change.Id = text;
            change.Delivery = DeliveryId.Name('e', text);
        }

        if (note is { IdempotencyKey: { } named, Digest: { } digest })
        {
            var keyed = DeliveryId.Of(DeliveryId.Name('k', named), digest);
            change.Delivery = change.Delivery is null ? keyed : DeliveryId.Both(change.Delivery, keyed);
        }

        return null;
    }

    /// <summary>A member <c>id</c> names the event only if it is text and does not name the record: posters that put the
    /// record's id there would lose every change but the first.</summary>
    private static bool IsDelivery(JsonElement id, JsonElement primaryKey)
    {
        if (id.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        if (primaryKey.ValueKind != JsonValueKind.Object)
        {
            return primaryKey.ValueKind != JsonValueKind.String || !primaryKey.ValueEquals(id.GetString());
        }

        foreach (var part in primaryKey.EnumerateObject())
        {
            if (string.Equals(Text(part.Value), id.GetString(), StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    /// <summary>An event that no id names is its record's change to that version, whatever its operation and the form of the version:
    /// the topic is the tenant's table.</summary>
    private static IngestRefusal? Identify(ArrayBufferWriter<byte> key, ref CheckedEvent change)
    {
        if (change.Delivery is null && change.Version.ValueKind != JsonValueKind.Undefined)
        {
            var version = RecordVersion.Of(Text(change.Version), change.Version.ValueKind == JsonValueKind.Number);
            var record = key.WrittenCount <= IdCharactersMax
                ? Encoding.UTF8.GetString(key.WrittenSpan) : Convert.ToHexString(SHA256.HashData(key.WrittenSpan));
            change.Delivery = $"v:{version.Canonical()} {record}";
        }

        return null;
    }

    private static IngestRefusal? Time(in PostedEvent posted, in DeliveryNote note, ref CheckedEvent change)
    {
        change.Micros = posted.Micros();
        if (change.Micros == 0)
        {
            change.Micros = note.SourceMicros;
        }

        return null;
    }
}
