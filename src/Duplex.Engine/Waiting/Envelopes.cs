using System.Buffers;
using Duplex.Engine.Config;
using Duplex.Sdk;

namespace Duplex.Engine.Waiting;

/// <summary>Makes envelopes of changes that the engine completed or made itself.</summary>
internal static class Envelopes
{
    public static ReadOnlyMemory<byte> Write(Change change, ConnectionModel connection)
    {
        var output = new ArrayBufferWriter<byte>(512);
        ChangeEnvelope.Write(output, change, connection.Connector.Spec.Name, connection.Name);
        return output.WrittenMemory;
    }

    /// <summary>The change with a key that its record had before.</summary>
    public static Change WithPreviousKey(Change change, RecordKey previous) => new()
    {
        Operation = change.Operation,
        Stream = change.Stream,
        Key = change.Key,
        PreviousKey = previous,
        Before = change.Before,
        After = change.After,
        Unchanged = change.Unchanged,
        SourceMicros = change.SourceMicros,
        Position = change.Position,
        Origin = change.Origin,
        Id = change.Id,
    };

    /// <summary>The change with another image after, and with nothing left untold.</summary>
    public static Change WithImage(Change change, Record after, IReadOnlyList<string> unchanged) => new()
    {
        Operation = change.Operation,
        Stream = change.Stream,
        Key = change.Key,
        PreviousKey = change.PreviousKey,
        Before = change.Before,
        After = after,
        Unchanged = unchanged,
        SourceMicros = change.SourceMicros,
        Position = change.Position,
        Origin = change.Origin,
        Id = change.Id,
    };
}
