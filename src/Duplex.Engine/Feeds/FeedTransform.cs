using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Output;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// Makes a customer's records of changes: rules decide, the mapping transforms, the customer's schema is checked. Owned by one loop;
/// what it gives is valid until <see cref="Clear"/>.
/// </summary>
internal sealed class FeedTransform : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(64 << 10);
    private readonly Utf8JsonWriter _writer;
    private readonly OutputInput _input = new();

    public FeedTransform() => _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    });

    /// <summary>How much room it keeps for what it gives, in bytes.</summary>
    public int KeptBytes => _buffer.Capacity;

    /// <summary>What became of a change.</summary>
    public readonly record struct Outcome(FeedItem? Item, SyncError? Error);

    /// <summary>Transforms a change; neither item nor error when a rule leaves it out.</summary>
    public Outcome Run(
        Change change, ReadOnlyMemory<byte> key, long offset, CustomerModel customer, TableModel table, TimeProvider clock)
    {
        if (change.Operation == ChangeOperation.Truncate)
        {
            return default;
        }

        _input.Use(change, customer.Name, clock);
        if (!table.Mapping.Carries(change.Operation, _input.Row))
        {
            return default;
        }

        var start = _buffer.WrittenCount;
        _writer.Reset();
        if (table.Mapping.Mapping.Write(_input, _writer) is { } problem)
        {
            return new Outcome(null, problem);
        }

        _writer.Flush();
        var data = _buffer.WrittenMemory[start..];
        return table.Schema is { } schema && Refusal(schema, data) is { } refused
            ? new Outcome(null, new SyncError(ErrorCode.MappingFailed,
                $"Output validation failed for {customer.Name} {table.Table}: Validation failed: {refused}",
                Suggestion: "Correct the record at its source, the mapping or the customer's schema, then replay this dead letter."))
            : new Outcome(new FeedItem(
                offset, table.Table, key, change.Operation, change.Id, change.Version, change.SourceMicros, data), null);
    }

    /// <summary>Takes the room of what was given back, and lets go of the change.</summary>
    public void Clear()
    {
        _buffer.ResetWrittenCount();
        _input.Dispose();
    }

    public void Dispose()
    {
        _input.Dispose();
        _writer.Dispose();
    }

    private static string? Refusal(OutputSchema schema, ReadOnlyMemory<byte> data)
    {
        using var document = JsonDocument.Parse(data);
        return schema.Refuse(document.RootElement);
    }
}
