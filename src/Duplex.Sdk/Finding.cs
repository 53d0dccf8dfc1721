namespace Duplex.Sdk;

/// <summary>How much a finding matters.</summary>
public enum FindingSeverity
{
    /// <summary>Worth knowing; nothing is at risk.</summary>
    Note,
    /// <summary>It runs, with a risk or a loss that the message names.</summary>
    Warning,
    /// <summary>It cannot run safely; nothing is started.</summary>
    Error,
}

/// <summary>One thing that a check found. Checks collect every finding and never stop at the first.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Code">Stable dotted code, e.g. <c>postgres.wal_level</c>, <c>mapping.lossy</c>,
/// <c>config.unknown_member</c>.</param>
/// <param name="Path">JSON pointer into <c>duplex.yaml</c>, e.g. <c>/syncs/customers/mapping/2</c>; null if it is about
/// no line of it.</param>
/// <param name="Message">What is so and what follows from it.</param>
/// <param name="Suggestion">The fix: a statement to run, an edit to make. Null only where nothing needs doing.</param>
public sealed record Finding(
    FindingSeverity Severity,
    string Code,
    string? Path,
    string Message,
    string? Suggestion = null)
{
    /// <summary>Where that is for people and editors, <c>duplex.yaml:12:7</c> (line and column from 1); null if it is
    /// about no line.</summary>
    public string? Location { get; init; }
}
