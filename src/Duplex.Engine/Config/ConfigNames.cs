namespace Duplex.Engine.Config;

/// <summary>The names that tenants, connections and syncs may have: they become parts of topics, file names and
/// URLs.</summary>
internal static class ConfigNames
{
    private const int LengthMax = 63;

    /// <summary>Whether a name may be used; reported when not.</summary>
    public static bool Check(ScalarNode name, string what, ConfigReport report) => Check(name, name.Text, what, report);

    /// <summary>Whether a name that a node stands for may be used; reported when not.</summary>
    public static bool Check(ConfigNode node, string text, string what, ConfigReport report)
    {
        if (text.Length is > 0 and <= LengthMax && char.IsAsciiLetterOrDigit(text[0])
            && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            return true;
        }

        var shown = node is ScalarNode scalar && References.Has(scalar.Text)
            ? "what the reference says" : Section.Shown(text);
        report.Error("config.bad_name", node, $"{what} cannot be named {shown}.",
            $"Use up to {LengthMax} letters, digits, _ and -, beginning with a letter or digit.");
        return false;
    }
}
