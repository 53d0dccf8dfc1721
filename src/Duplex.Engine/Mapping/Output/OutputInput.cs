using System.Buffers;
using System.Text.Json;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Output;

/// <summary>What an output mapping reads: a record's row, and the change that told it. Elements live until it is disposed, or until
/// it is used for another change.</summary>
public sealed class OutputInput : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true };

    private Change _change = null!;
    private string _customer = "";
    private JsonDocument? _row;
    private JsonDocument? _event;
    private ArrayBufferWriter<byte>? _eventText;
    private Utf8JsonWriter? _eventWriter;

    /// <summary>Makes the input of a change.</summary>
    /// <param name="change">The change.</param>
    /// <param name="customer">The customer that the output is for.</param>
    /// <param name="clock">Tells <c>$event.now</c>.</param>
    public OutputInput(Change change, string customer, TimeProvider clock) => Use(change, customer, clock);

    /// <summary>Makes an input that is used for one change after the other.</summary>
    internal OutputInput()
    {
    }

    /// <summary>The row: the image after the change, before it for a delete. An empty object where the change has neither.</summary>
    public JsonElement Row { get; private set; }

    /// <summary>Tells the time.</summary>
    public TimeProvider Clock { get; private set; } = TimeProvider.System;

    /// <summary>The image before, or undefined.</summary>
    public JsonElement Before => _change.After is null ? Image(_change.Before) : _change.Before?.Root ?? default;

    /// <summary>The image after, or undefined.</summary>
    public JsonElement After => Image(_change.After);

    private static JsonElement Empty { get; } = JsonElement.Parse("{}");

    /// <summary>Takes up a change; what was given of the one before ends.</summary>
    internal void Use(Change change, string customer, TimeProvider clock)
    {
        Dispose();
        (_change, _customer, Clock) = (change, customer, clock);
        _row = (change.After ?? change.Before) is { } image ? JsonDocument.Parse(image.Utf8) : null;
        Row = _row?.RootElement ?? Empty;
    }

    /// <summary>
    /// The change as a record: <c>operation</c> (INSERT, UPDATE or DELETE), <c>table</c>, <c>key</c> (by name where the source tells
    /// names, otherwise a list), <c>timestamp</c>, <c>version</c>, <c>id</c>, <c>customer</c>, <c>now</c>.
    /// </summary>
    internal JsonElement Event => (_event ??= ParseEvent()).RootElement;

    /// <summary>The members of <see cref="Event"/> that are read, before the first is.</summary>
    internal EventMembers Asked { get; set; } = EventMembers.All;

    /// <inheritdoc/>
    public void Dispose()
    {
        _row?.Dispose();
        _event?.Dispose();
        (_row, _event) = (null, null);
    }

    private JsonDocument ParseEvent()
    {
        _eventText ??= new ArrayBufferWriter<byte>(512);
        _eventText.ResetWrittenCount();
        _eventWriter ??= new Utf8JsonWriter(_eventText, Options);
        _eventWriter.Reset();
        Write(_eventWriter, Asked);
        _eventWriter.Flush();
        return JsonDocument.Parse(_eventText.WrittenMemory);
    }

    private JsonElement Image(Record? image) => image is null ? default : Row;

    private void Write(Utf8JsonWriter writer, EventMembers asked)
    {
        writer.WriteStartObject();
        if (asked.HasFlag(EventMembers.Operation))
        {
            writer.WriteString("operation"u8, FeedRecordJson.OperationOf(_change.Operation));
        }

        if (asked.HasFlag(EventMembers.Table))
        {
            writer.WriteString("table"u8, _change.Stream);
        }

        if (asked.HasFlag(EventMembers.Key))
        {
            WriteKey(writer);
        }

        if (asked.HasFlag(EventMembers.Timestamp) && _change.SourceMicros != 0)
        {
            writer.WriteString("timestamp"u8, FeedRecordJson.Instant(_change.SourceMicros));
        }

        if (asked.HasFlag(EventMembers.Version) && _change.Version is { } version)
        {
            writer.WriteString("version"u8, version);
        }

        if (asked.HasFlag(EventMembers.Id) && _change.Id is { } id)
        {
            writer.WriteString("id"u8, id);
        }

        if (asked.HasFlag(EventMembers.Customer))
        {
            writer.WriteString("customer"u8, _customer);
        }

        if (asked.HasFlag(EventMembers.Now))
        {
            writer.WriteString("now"u8, Clock.GetUtcNow());
        }

        writer.WriteEndObject();
    }

    private void WriteKey(Utf8JsonWriter writer)
    {
        writer.WritePropertyName("key"u8);
        if (_change.KeyFields is { } fields)
        {
            writer.WriteRawValue(fields.Utf8.Span, skipInputValidation: true);
        }
        else
        {
            writer.WriteRawValue(_change.Key.IsEmpty ? "[]" : _change.Key.Json, skipInputValidation: true);
        }
    }
}

/// <summary>The members of <c>$event</c>.</summary>
[Flags]
internal enum EventMembers
{
    None = 0,
    Operation = 1,
    Table = 2,
    Key = 4,
    Timestamp = 8,
    Version = 16,
    Id = 32,
    Customer = 64,
    Now = 128,
    All = 255,
}
