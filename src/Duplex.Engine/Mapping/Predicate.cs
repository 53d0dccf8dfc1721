using System.Text.Json;

namespace Duplex.Engine.Mapping;

/// <summary>Decides whether a record takes part in a sync. Immutable; called from many tasks at once.</summary>
public abstract class Predicate
{
    /// <summary>The text it was compiled from.</summary>
    public abstract string Text { get; }

    /// <summary>Whether the record takes part. Absent fields compare as absent, never as an error.</summary>
    public abstract bool Holds(JsonElement record);

    /// <summary>
    /// Compiles a condition: a subset of JSONata with its meaning. Paths (<c>metadata.plan</c>, <c>`odd name`.x</c>),
    /// texts, numbers, <c>true false null</c>, <c>= != &lt; &lt;= &gt; &gt;=</c>, <c>in</c>, <c>and or</c>, <c>not</c>,
    /// lists, parentheses, and the functions <c>$not $exists $boolean $lowercase $uppercase $trim $length $contains
    /// $substring</c>. As in JSONata a comparison with a field that is absent does not hold, not even <c>!=</c>, nor
    /// <c>$not</c> of it (the word <c>not</c> does); ask with <c>$exists</c>. A path goes into each item of a list.
    /// Values of different types are unequal and unordered.
    /// </summary>
    /// <exception cref="PredicateException">The text is something else; the column says where.</exception>
    public static Predicate Compile(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new Predicates.ExpressionPredicate(text, Predicates.PredicateParser.Parse(text));
    }
}

/// <summary>A condition that cannot be compiled.</summary>
/// <param name="message">What is wrong, one sentence.</param>
/// <param name="column">Where in the text, from 1.</param>
/// <param name="suggestion">The fix.</param>
public sealed class PredicateException(string message, int column, string suggestion) : FormatException(message)
{
    /// <summary>Where in the text, from 1.</summary>
    public int Column => column;

    /// <summary>The fix.</summary>
    public string Suggestion => suggestion;
}
