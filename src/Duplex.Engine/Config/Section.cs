using System.Globalization;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>
/// Reads one map of the configuration member by member. What is asked for is known; <see cref="Close"/> reports the
/// rest, with the member that was probably meant.
/// </summary>
internal sealed class Section(MapNode node, string what, ConfigReport report, References references, string? tenant =
    null)
{
    private readonly List<string> _known = [];

    /// <summary>The map.</summary>
    public MapNode Node => node;

    /// <summary>The member's node; null when it is absent or says nothing.</summary>
    public ConfigNode? Any(string name)
    {
        _known.Add(name);
        return node.Find(name) is { } found and not ScalarNode { IsNull: true } ? found : null;
    }

    /// <summary>The member's node, reported when there is none.</summary>
    public ConfigNode? Needed(string name, string suggestion)
    {
        var found = Any(name);
        if (found is null)
        {
            report.Error("config.missing", node, $"{what} has no {name}.", suggestion);
        }

        return found;
    }

    /// <summary>The member's text with references replaced; null when absent or wrong.</summary>
    public string? Text(string name, string? missing = null)
    {
        var found = missing is null ? Any(name) : Needed(name, missing);
        return found is null ? null : Scalar(name, found) is { } scalar ? references.Expand(scalar, tenant) : null;
    }

    /// <summary>The member's text, of a few words.</summary>
    public T Choice<T>(string name, T fallback, params ReadOnlySpan<(string Word, T Value)> choices)
    {
        if (Any(name) is not { } found || Scalar(name, found) is not { } scalar)
        {
            return fallback;
        }

        var words = new List<string>();
        foreach (var (word, value) in choices)
        {
            words.Add(word);
            if (string.Equals(word, scalar.Text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        report.Error("config.bad_value", scalar, $"{name} must be one of {string.Join(", ", words)}.",
            Spelling.Offer(scalar.Text, words));
        return fallback;
    }

    /// <summary>A length of time above zero.</summary>
    public TimeSpan Duration(string name, TimeSpan fallback, bool zero = false)
    {
        if (Any(name) is not { } found || Scalar(name, found) is not { } scalar)
        {
            return fallback;
        }

        if (Durations.TryParse(references.Expand(scalar, tenant), out var value) && (zero || value > TimeSpan.Zero))
        {
            return value;
        }

        report.Error("config.bad_value", scalar, $"{name} must be a duration{(zero ? "" : " above zero")}.",
            "For example 500ms, 10s, 5m, 2h or 7d.");
        return fallback;
    }

    /// <summary>A size in bytes.</summary>
    public long Size(string name, long fallback, long min, long max)
    {
        if (Any(name) is not { } found || Scalar(name, found) is not { } scalar)
        {
            return fallback;
        }

        if (ByteSizes.TryParse(references.Expand(scalar, tenant), out var value) && value >= min && value <= max)
        {
            return value;
        }

        report.Error("config.bad_value", scalar, $"{name} must be a size from {min} to {max} bytes.",
            "For example 512MB or 8GB.");
        return fallback;
    }

    /// <summary>A whole number.</summary>
    public long Whole(string name, long fallback, long min, long max)
    {
        if (Any(name) is not { } found || Scalar(name, found) is not { } scalar)
        {
            return fallback;
        }

        if (long.TryParse(references.Expand(scalar, tenant), NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture, out var value)
            && value >= min && value <= max)
        {
            return value;
        }

        report.Error("config.bad_value", scalar, $"{name} must be a whole number from {min} to {max}.",
            $"For example {fallback}.");
        return fallback;
    }

    /// <summary>A map; null when absent or something else.</summary>
    public MapNode? Map(string name, string? missing = null)
    {
        var found = missing is null ? Any(name) : Needed(name, missing);
        return found is null ? null : Expect<MapNode>(found, name, "a map");
    }

    /// <summary>A list; null when absent or something else.</summary>
    public ListNode? List(string name, string? missing = null)
    {
        var found = missing is null ? Any(name) : Needed(name, missing);
        return found is null ? null : Expect<ListNode>(found, name, "a list");
    }

    /// <summary>Reports every member that nobody asked for.</summary>
    public void Close()
    {
        foreach (var member in node.Members)
        {
            if (!_known.Contains(member.Name.Text))
            {
                report.Error("config.unknown_member", member.Name, $"{what} takes no {Shown(member.Name.Text)}.",
                    Spelling.Offer(member.Name.Text, _known));
            }
        }
    }

    /// <summary>A node of a kind, or a finding.</summary>
    public T? Expect<T>(ConfigNode found, string name, string kind, string? suggestion = null)
        where T : ConfigNode
    {
        if (found is T wanted)
        {
            return wanted;
        }

        report.Error("config.bad_value", found, $"{name} must be {kind}, and it is {found.Describe()}.",
            suggestion ?? $"Write {name} as {kind}.");
        return null;
    }

    private ScalarNode? Scalar(string name, ConfigNode found) => Expect<ScalarNode>(found, name, "a single value");

    /// <summary>A word from the file, cut so that it cannot flood or forge a line.</summary>
    internal static string Shown(string text)
    {
        var clean = new string([.. text.Take(60).Select(static c => char.IsControl(c) ? '?' : c)]);
        return text.Length > 60 ? $"{clean}…" : clean;
    }
}
