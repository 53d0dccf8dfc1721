namespace Duplex.Engine.Ingest;

/// <summary>What is told about an event beside its body: by headers, or by the CloudEvent around it.</summary>
/// <param name="Id">The delivery id that goes before one in the body: a CloudEvent's source and id. Null if
/// none.</param>
/// <param name="IdempotencyKey">The delivery id where the event has none of its own; null if none.</param>
/// <param name="SourceMicros">When it happened, where the body does not say; 0 if unknown.</param>
/// <param name="Tenant">The only tenant that the poster may post for; null for all.</param>
public readonly record struct DeliveryNote(
    string? Id = null, string? IdempotencyKey = null, long SourceMicros = 0, string? Tenant = null);
