using Shouldly;

namespace Duplex.Tidy;

/// <summary>One place that breaks a rule.</summary>
internal sealed record Offence(string Path, int Line, string Message)
{
    public override string ToString() => $"{Path}:{Line}: {Message}";
}

internal static class OffenceAssertions
{
    /// <summary>Fails with every offence on a line of its own.</summary>
    public static void ShouldBeTidy(this IEnumerable<Offence> offences)
    {
        string[] found = [.. offences.Select(o => o.ToString())];
        if (found.Length > 0)
            throw new ShouldAssertException(string.Join(Environment.NewLine, found));
    }
}
