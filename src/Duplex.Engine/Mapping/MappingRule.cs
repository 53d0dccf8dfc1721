namespace Duplex.Engine.Mapping;

/// <summary>One rule as configured: paths of each side (more than one for split and join), a lens, and optional one-way
/// limits.</summary>
/// <param name="A">A's paths; empty for a constant written to B.</param>
/// <param name="B">B's paths; empty for a constant written to A.</param>
/// <param name="Via">The lens chain, applied from A to B in order and backwards in reverse; empty for copy.</param>
/// <param name="OneWay">Null for both ways, otherwise the only direction the rule runs in.</param>
/// <param name="Path">The rule's place in the configuration, e.g. <c>/syncs/customers/mapping/2</c>.</param>
/// <param name="Expression">A JSONata expression that gives B's value instead of A's paths; null for none.</param>
public sealed record MappingRule(
    IReadOnlyList<FieldPath> A, IReadOnlyList<FieldPath> B, IReadOnlyList<LensSpec> Via, State.Side? OneWay,
        string Path, string? Expression = null);

/// <summary>A lens by name with its argument.</summary>
/// <param name="Name">For example <c>enum</c>, <c>lowercase</c>, <c>minor_units</c>.</param>
/// <param name="Argument">The argument as the configuration has it, as JSON; null when it takes none.</param>
public sealed record LensSpec(string Name, System.Text.Json.JsonElement? Argument);
