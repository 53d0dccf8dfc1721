using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>A mapping ready to run, with everything that the check found about it.</summary>
/// <param name="Rules">The rules in configured order.</param>
/// <param name="Findings">Errors keep the sync from starting; warnings and notes are shown.</param>
public sealed record CompiledMapping(IReadOnlyList<CompiledRule> Rules, IReadOnlyList<Finding> Findings);
