using Duplex.Engine.Mapping;

namespace Duplex.Engine.Config;

/// <summary>Reads a condition over a record.</summary>
internal static class ConditionSection
{
    /// <summary>The member's condition; null when absent or wrong.</summary>
    public static Predicate? Read(Section section, string name, ConfigReport report)
    {
        if (section.Any(name) is not { } node
            || section.Expect<ScalarNode>(node, name, "a condition in one line") is not { } scalar)
        {
            return null;
        }

        try
        {
            return Predicate.Compile(scalar.Text);
        }
        catch (PredicateException e)
        {
            report.Error("config.predicate", scalar,
                $"The condition is wrong at its character {e.Column}: {e.Message}", e.Suggestion);
            return null;
        }
    }
}
