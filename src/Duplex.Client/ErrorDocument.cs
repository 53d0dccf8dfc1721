namespace Duplex.Client;

/// <summary>One failure, as it is stored and shown.</summary>
/// <param name="Code">The stable dotted code, e.g. <c>sink.rejected</c>.</param>
/// <param name="Message">One sentence that names the thing that failed.</param>
/// <param name="Path">JSON pointer into <c>duplex.yaml</c>, or the field of the record, that it is about.</param>
/// <param name="Fix">The fix, as a command or an edit where there is one.</param>
/// <param name="Detail">The vendor's own words and request id.</param>
/// <param name="RetryAfterSeconds">How long the other side asks to wait.</param>
public sealed record ErrorDocument(
    string Code, string Message, string? Path, string? Fix, string? Detail, double? RetryAfterSeconds);

/// <summary>One thing that a check found.</summary>
/// <param name="Severity"><c>note</c>, <c>warning</c> or <c>error</c>.</param>
/// <param name="Code">The stable dotted code, e.g. <c>postgres.wal_level</c>.</param>
/// <param name="Path">JSON pointer into <c>duplex.yaml</c>.</param>
/// <param name="Message">What is so and what follows from it.</param>
/// <param name="Fix">A statement to run or an edit to make.</param>
public sealed record FindingDocument(string Severity, string Code, string? Path, string Message, string? Fix);

/// <summary>Why a request was not done: RFC 9457 problem details with a stable code, the member at fault and the
/// fix.</summary>
/// <param name="Type"><c>urn:duplex:problem:</c> and the code.</param>
/// <param name="Title">The kind of problem, the same for every occurrence.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What is wrong with this request.</param>
/// <param name="Code">The stable dotted code.</param>
/// <param name="Field">The parameter or member at fault; null when it is not about one.</param>
/// <param name="Fix">What to do about it.</param>
/// <param name="FirstOffset">The first offset that can be read, where retention has removed what was asked for.</param>
public sealed record ProblemDocument(
    string Type, string Title, int Status, string Detail, string Code, string? Field, string? Fix,
    long? FirstOffset = null)
{
    /// <summary>Everything that was found in the document that was sent; null where none was.</summary>
    public IReadOnlyList<FindingDocument>? Findings { get; init; }
}

/// <summary>A page of a list.</summary>
/// <param name="Items">The items.</param>
/// <param name="Next">What to give as <c>before</c> to get the next page; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, long? Next = null);
