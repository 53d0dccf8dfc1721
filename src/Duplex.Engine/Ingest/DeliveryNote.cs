using System.Text;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>What is told about an event beside its body: by headers, or by the CloudEvent around it.</summary>
/// <param name="Id">The delivery id that goes before one in the body: a CloudEvent's source and id. Null if
/// none.</param>
/// <param name="IdempotencyKey">The name of the request, or of the event's place in it; null if none.</param>
/// <param name="SourceMicros">When it happened, where the body does not say; 0 if unknown.</param>
/// <param name="Tenant">The only tenant that the poster may post for; null for all.</param>
/// <param name="Digest">What tells the event that the key names from any other; null where there is no key.</param>
public readonly record struct DeliveryNote(
    string? Id = null, string? IdempotencyKey = null, long SourceMicros = 0, string? Tenant = null,
    string? Digest = null)
{
    /// <summary>The same for an event of this body: where there is a key, it stands for this body and no other.</summary>
    public DeliveryNote Over(ReadOnlySpan<byte> body)
    {
        if (IdempotencyKey is null)
        {
            return this;
        }

        var digest = DeliveryId.Digest(body);
        // What headers say about the event belongs to it as its body does.
        return this with { Digest = Id is null ? digest : DeliveryId.Digest(Encoding.UTF8.GetBytes($"{digest} {Id}")) };
    }
}
