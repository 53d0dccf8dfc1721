using System.Runtime.InteropServices;
using System.Text.Json;

namespace Duplex.Engine.Ingest;

/// <summary>
/// The members of a posted body that matter, found in one pass. Debezium's envelope, with or without its
/// <c>payload</c>, fills the same members. What is not there is undefined.
/// </summary>
internal struct PostedEvent
{
    public JsonElement Root;
    public JsonElement Table;
    public JsonElement EventType;
    public JsonElement PrimaryKey;
    public JsonElement Before;
    public JsonElement After;
    public JsonElement Timestamp;
    public JsonElement Version;
    public JsonElement EventId;
    public JsonElement Id;
    public JsonElement Tenant;

    private JsonElement _op;
    private JsonElement _source;
    private JsonElement _payload;
    private JsonElement _micros;
    private JsonElement _nanos;
    private JsonElement _millis;

    /// <summary>Whether it is in Debezium's form.</summary>
    public readonly bool IsEnvelope => _op.ValueKind == JsonValueKind.String;

    /// <summary>What names the operation.</summary>
    public readonly JsonElement Operation => IsEnvelope ? _op : EventType;

    public static PostedEvent Read(JsonElement root)
    {
        var posted = new PostedEvent { Root = root };
        posted.ReadMembers(root);
        if (posted.EventType.ValueKind != JsonValueKind.Undefined)
        {
            posted._op = default;
            return posted;
        }

        if (posted._payload.ValueKind == JsonValueKind.Object
            && posted._payload.TryGetProperty("op"u8, out var op) && op.ValueKind == JsonValueKind.String)
        {
            posted.ReadMembers(posted._payload);
        }

        if (posted.IsEnvelope && posted.Table.ValueKind == JsonValueKind.Undefined
            && posted._source.ValueKind == JsonValueKind.Object
            && posted._source.TryGetProperty("table"u8, out var table))
        {
            posted.Table = table;
        }

        return posted;
    }

    /// <summary>When it happened, in microseconds since 1970 UTC; 0 if it does not say.</summary>
    public readonly long Micros()
    {
        if (Timestamp.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
        {
            return PostedTime.Micros(Timestamp);
        }

        if (!IsEnvelope)
        {
            return 0;
        }

        // The source's own time is when the row changed; the envelope's is when the change was read.
        var at = 0L;
        if (_source.ValueKind == JsonValueKind.Object)
        {
            _source.TryGetProperty("ts_us"u8, out var micros);
            _source.TryGetProperty("ts_ns"u8, out var nanos);
            _source.TryGetProperty("ts_ms"u8, out var millis);
            at = PostedTime.Micros(micros, nanos, millis);
        }

        return at != 0 ? at : PostedTime.Micros(_micros, _nanos, _millis);
    }

    private void ReadMembers(JsonElement root)
    {
        foreach (var member in root.EnumerateObject())
        {
            Note(member);
        }
    }

    private void Note(JsonProperty member)
    {
        var name = JsonMarshal.GetRawUtf8PropertyName(member);
        if (name.Contains((byte)'\\'))
        {
            name = System.Text.Encoding.UTF8.GetBytes(member.Name);
        }

        switch (name)
        {
            case [(byte)'t', ..]:
                NoteT(name, member.Value);
                break;
            case [(byte)'e', ..] when name.SequenceEqual("event_type"u8):
                EventType = member.Value;
                break;
            case [(byte)'e', ..] when name.SequenceEqual("event_id"u8):
                EventId = member.Value;
                break;
            case [(byte)'p', ..] when name.SequenceEqual("primary_key"u8):
                PrimaryKey = member.Value;
                break;
            case [(byte)'p', ..] when name.SequenceEqual("payload"u8):
                _payload = member.Value;
                break;
            case [(byte)'b', ..] when name.SequenceEqual("before"u8):
                Before = member.Value;
                break;
            case [(byte)'a', ..] when name.SequenceEqual("after"u8):
                After = member.Value;
                break;
            case [(byte)'v', ..] when name.SequenceEqual("version"u8):
                Version = member.Value;
                break;
            case [(byte)'i', (byte)'d']:
                Id = member.Value;
                break;
            case [(byte)'o', (byte)'p']:
                _op = member.Value;
                break;
            case [(byte)'o', ..] when name.SequenceEqual("org_id"u8) && Tenant.ValueKind == JsonValueKind.Undefined:
                Tenant = member.Value;
                break;
            case [(byte)'s', ..] when name.SequenceEqual("source"u8):
                _source = member.Value;
                break;
        }
    }

    private void NoteT(ReadOnlySpan<byte> name, JsonElement value)
    {
        if (name.SequenceEqual("table"u8))
        {
            Table = value;
        }
        else if (name.SequenceEqual("timestamp"u8))
        {
            Timestamp = value;
        }
        else if (name.SequenceEqual("tenant"u8))
        {
            Tenant = value;
        }
        else if (name.SequenceEqual("ts_ms"u8))
        {
            _millis = value;
        }
        else if (name.SequenceEqual("ts_us"u8))
        {
            _micros = value;
        }
        else if (name.SequenceEqual("ts_ns"u8))
        {
            _nanos = value;
        }
    }
}
