using System.Text.Json;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Output;

/// <summary>What an output mapping reads: a record's row, and the change that told it.</summary>
/// <param name="change">The change.</param>
/// <param name="customer">The customer that the output is for.</param>
/// <param name="clock">Tells <c>$event.now</c>.</param>
public sealed class OutputInput(Change change, string customer, TimeProvider clock)
{
    private JsonElement? _event;

    /// <summary>The row: the image after the change, before it for a delete. An empty object where the change has neither.</summary>
    public JsonElement Row { get; } = (change.After ?? change.Before)?.Root ?? Empty;

    /// <summary>
    /// The change as a record: <c>operation</c> (INSERT, UPDATE or DELETE), <c>table</c>, <c>key</c> (by name where the source tells
    /// names, otherwise a list), <c>timestamp</c>, <c>version</c>, <c>id</c>, <c>customer</c>, <c>now</c>.
    /// </summary>
    public JsonElement Event => _event ??= JsonElement.Parse(JsonScratch.Write(this, static (writer, input) => input.Write(writer)));

    /// <summary>Tells the time.</summary>
    public TimeProvider Clock => clock;

    /// <summary>The image before, or undefined.</summary>
    public JsonElement Before => change.Before?.Root ?? default;

    /// <summary>The image after, or undefined.</summary>
    public JsonElement After => change.After?.Root ?? default;

    private static JsonElement Empty { get; } = JsonElement.Parse("{}");

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("operation"u8, FeedRecordJson.OperationOf(change.Operation));
        writer.WriteString("table"u8, change.Stream);
        writer.WritePropertyName("key"u8);
        if (change.KeyFields is { } fields)
        {
            writer.WriteRawValue(fields.Utf8.Span, skipInputValidation: true);
        }
        else
        {
            writer.WriteRawValue(change.Key.IsEmpty ? "[]" : change.Key.Json, skipInputValidation: true);
        }

        if (change.SourceMicros != 0)
        {
            writer.WriteString("timestamp"u8, FeedRecordJson.Instant(change.SourceMicros));
        }

        if (change.Version is { } version)
        {
            writer.WriteString("version"u8, version);
        }

        if (change.Id is { } id)
        {
            writer.WriteString("id"u8, id);
        }

        writer.WriteString("customer"u8, customer);
        writer.WriteString("now"u8, clock.GetUtcNow());
        writer.WriteEndObject();
    }
}
