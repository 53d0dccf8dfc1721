using Duplex.Engine.Config;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Waiting;

/// <summary>Folds a newer change into the one that a record waits with: what is delivered later is the latest
/// state.</summary>
internal static class Folding
{
    public static Pending Fold(
        Pending waiting, Change newer, ReadOnlyMemory<byte> envelope, long offset, ConnectionModel connection)
    {
        if (offset <= waiting.Offset)
        {
            // Read again after a crash: it is folded in already, and younger ones may be too.
            return waiting;
        }

        var older = ChangeEnvelope.Parse(waiting.Key, waiting.Envelope);
        if (!connection.Connector.Spec.Capabilities.OrderedStream && CameBefore(newer, older, connection))
        {
            return waiting with { Offset = offset };
        }

        if (newer.PreviousKey.IsEmpty && !older.PreviousKey.IsEmpty)
        {
            // The key change has not been acted upon for good: a link under the old key may still be to come.
            newer = newer with { PreviousKey = older.PreviousKey };
            envelope = Envelopes.Write(newer, connection);
        }

        if (newer.After is not null && newer.Unchanged.Count > 0)
        {
            envelope = FillUnchanged(older, newer, connection);
        }

        // A hold by policy was about the older change; the newer one is decided on its own.
        var error = waiting.Error?.Code == ErrorCode.ConflictManual ? null : waiting.Error;
        return waiting with { Envelope = envelope, Offset = offset, Error = error };
    }

    /// <summary>
    /// Whether what came later in an unordered stream happened earlier. Within one tick of the source's clock a delete is the last.
    /// </summary>
    private static bool CameBefore(Change newer, Change older, ConnectionModel connection)
    {
        var tick = Math.Max(1, connection.Connector.Spec.Capabilities.ClockResolutionMicros);
        return older.Operation == ChangeOperation.Delete && newer.Operation != ChangeOperation.Delete
            ? newer.SourceMicros / tick <= older.SourceMicros / tick
            : newer.SourceMicros < older.SourceMicros;
    }

    /// <summary>Fields that the newer change does not tell keep the value that the waiting one told.</summary>
    private static ReadOnlyMemory<byte> FillUnchanged(Change older, Change newer, ConnectionModel connection)
    {
        var told = older.After is { } known
            ? newer.Unchanged.Where(name => known.Root.TryGetProperty(name, out _)).ToArray()
            : [];
        var image = JsonScratch.Write((newer, older, told), static (writer, s) =>
        {
            writer.WriteStartObject();
            foreach (var member in s.newer.After!.Root.EnumerateObject())
            {
                member.WriteTo(writer);
            }

            foreach (var name in s.told)
            {
                writer.WritePropertyName(name);
                s.older.After!.Root.GetProperty(name).WriteTo(writer);
            }

            writer.WriteEndObject();
        });
        return Envelopes.Write(
            newer with { After = new Record(image), Unchanged = [.. newer.Unchanged.Except(told)] },
            connection);
    }
}
