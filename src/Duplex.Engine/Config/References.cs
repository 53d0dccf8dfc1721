using System.Text;
using Duplex.Engine.Secrets;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>
/// Puts the values of <c>${env:NAME}</c>, <c>${NAME}</c> and <c>${secret:name}</c> into configured texts.
/// <c>${env:NAME:-text}</c> has a fallback; <c>$${</c> stands for itself. The values go nowhere else: never into a
/// finding.
/// </summary>
internal sealed class References(ConfigReport report, Func<string, string?> environment, Func<ISecretStore?> secrets)
{
    private ISecretStore? _store;
    private bool _opened;

    /// <summary>Whether a text has a reference.</summary>
    public static bool Has(string text) => text.Contains("${", StringComparison.Ordinal);

    /// <summary>The text with its references replaced; null when one of them has no value (which is
    /// reported).</summary>
    /// <param name="node">The configured text.</param>
    /// <param name="tenant">Who may see: a secret named <c>tenant/name</c> is only given to its tenant; null for no
    /// tenant.</param>
    public string? Expand(ScalarNode node, string? tenant)
    {
        var text = node.Text;
        if (!Has(text))
        {
            return text;
        }

        var result = new StringBuilder();
        var complete = true;
        var at = 0;
        while (at < text.Length)
        {
            var start = text.IndexOf("${", at, StringComparison.Ordinal);
            if (start < 0)
            {
                break;
            }

            result.Append(text, at, start - at);
            if (start > 0 && text[start - 1] == '$')
            {
                result.Append('{');
                at = start + 2;
                continue;
            }

            var end = text.IndexOf('}', start);
            if (end < 0)
            {
                report.Error("config.reference", node, "A reference that begins with ${ has no closing brace.",
                    "Write ${env:NAME} or ${secret:name}; $${ for the characters themselves.");
                return null;
            }

            var value = Resolve(node, text[(start + 2)..end], tenant);
            complete &= value is not null;
            result.Append(value);
            at = end + 1;
        }

        result.Append(text, at, text.Length - at);
        return complete ? result.ToString() : null;
    }

    private string? Resolve(ScalarNode node, string reference, string? tenant)
    {
        if (reference.StartsWith("secret:", StringComparison.Ordinal))
        {
            return Secret(node, reference["secret:".Length..], tenant);
        }

        var name = reference.StartsWith("env:", StringComparison.Ordinal) ? reference["env:".Length..] : reference;
        var fallback = default(string);
        if (name.IndexOf(":-", StringComparison.Ordinal) is >= 0 and var cut)
        {
            (name, fallback) = (name[..cut], name[(cut + 2)..]);
        }

        if (name.Length == 0 || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            report.Error("config.reference", node,
                name.IndexOf(':') is > 0 and var kind && name[..kind].All(char.IsAsciiLetterOrDigit)
                    ? $"There are no references of the kind {Section.Shown(name[..kind])}."
                    : "A reference names no environment variable.",
                "Write ${env:NAME} or ${secret:name}.");
            return null;
        }

        var value = environment(name) ?? fallback;
        if (value is null)
        {
            report.Error("config.reference", node, $"The environment variable {name} is not set.",
                $"Set it before the start: export {name}=…");
        }

        return value;
    }

    private string? Secret(ScalarNode node, string name, string? tenant)
    {
        if (!SecretNames.IsValid(name))
        {
            report.Error("config.reference", node, "A secret's name has letters, digits and ._-/ only.",
                "Rename the secret.");
            return null;
        }

        if (name.IndexOf('/') is > 0 and var cut && !string.Equals(name[..cut], tenant, StringComparison.Ordinal))
        {
            report.Error("config.reference", node, $"The secret {name} belongs to the tenant {name[..cut]}.",
                "Use it only in a connection of that tenant.");
            return null;
        }

        try
        {
            if (Open()?.Get(name) is { } value)
            {
                return value;
            }

            report.Error("config.reference", node, $"There is no secret {name}.",
                $"Store it: duplex secrets set {name}");
        }
        catch (SyncException e)
        {
            report.Error("config.reference", node, $"The secret {name} cannot be read: {e.Error.Message}",
                e.Error.Suggestion);
        }

        return null;
    }

    private ISecretStore? Open()
    {
        if (!_opened)
        {
            _store = secrets();
            _opened = true;
        }

        return _store;
    }
}
