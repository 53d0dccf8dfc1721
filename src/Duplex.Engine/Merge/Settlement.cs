using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Merge;

/// <summary>What a person decided about a field that waited, kept with the link until it is carried out.</summary>
/// <param name="Winner">The side whose value stands, as it is when the decision is carried out.</param>
/// <param name="Given">Another value, in the winner's form, that both sides get; null for the winner's own.</param>
internal sealed record Settlement(Side Winner, FieldValue? Given);
