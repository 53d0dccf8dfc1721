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
}
