using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Preflight;

/// <summary>Collects the findings about one connection.</summary>
internal sealed class FindingList(string connection)
{
    private readonly List<Finding> _findings = [];

    /// <summary>What was found so far.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>It cannot run.</summary>
    public void Error(string code, string message, string fix) => Add(FindingSeverity.Error, code, message, fix);

    /// <summary>It runs with a risk.</summary>
    public void Warn(string code, string message, string fix) => Add(FindingSeverity.Warning, code, message, fix);

    /// <summary>Worth knowing.</summary>
    public void Note(string code, string message, string? fix) => Add(FindingSeverity.Note, code, message, fix);

    private void Add(FindingSeverity severity, string code, string message, string? fix) =>
        _findings.Add(new Finding(severity, $"postgres.{code}", $"/connections/{connection}", message, fix));
}
