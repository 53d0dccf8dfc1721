using Duplex.Engine.Log;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>connections:</c>.</summary>
internal sealed class ConnectionSection
{
    private ConnectionSection(IReadOnlyDictionary<string, ConnectionModel> models, IReadOnlyCollection<string> names) =>
        (Models, Names) = (models, names);

    /// <summary>The connections that can be used.</summary>
    public IReadOnlyDictionary<string, ConnectionModel> Models { get; }

    /// <summary>The names of all, the wrong ones too: a reference to one of those is not reported again.</summary>
    public IReadOnlyCollection<string> Names { get; }

    public static ConnectionSection ReadAll(Section root, ConfigSources sources, ConfigReport report,
        References references)
    {
        var models = new Dictionary<string, ConnectionModel>(StringComparer.Ordinal);
        var names = new List<string>();
        var map = root.Map("connections",
            IngestSection.IsIn(root.Node) ? null : "Add connections: with at least one connection.");
        foreach (var (name, value) in map?.Members ?? [])
        {
            names.Add(name.Text);
            if (!ConfigNames.Check(name, "A connection", report)
                || root.Expect<MapNode>(value, name.Text, "a map") is not { } settings)
            {
                continue;
            }

            if (ReadOne(name, settings, sources, report, references) is { } model)
            {
                models.Add(name.Text, model);
            }
        }

        return new ConnectionSection(models, names);
    }

    private static ConnectionModel? ReadOne(
        ScalarNode name, MapNode map, ConfigSources sources, ConfigReport report, References references)
    {
        var before = report.Errors;
        var head = new Section(map, $"The connection {name.Text}", report, references);
        var tenant = head.Text("tenant") ?? TableTopics.DefaultTenant;
        ConfigNames.Check(map.Find("tenant") ?? map, tenant, "A tenant", report);

        var known = sources.Connectors.Select(static c => c.Spec.Name).ToList();
        var connectorName = head.Text("connector", $"Add connector: with one of {string.Join(", ", known)}.");
        if (connectorName is null)
        {
            foreach (var member in map.Members.Where(static m =>
                m.Name.Text != "connector" && Spelling.Nearest(m.Name.Text, ["connector"]) is not null))
            {
                report.Error("config.unknown_member", member.Name,
                    $"A connection takes no {Section.Shown(member.Name.Text)}.", "Did you mean connector?");
            }

            return null;
        }

        var connector = sources.Connectors.FirstOrDefault(c => c.Spec.Name == connectorName);
        if (connector is null)
        {
            report.Error("config.unknown_connector", map.Find("connector")!,
                $"There is no connector {Section.Shown(connectorName)}.", Spelling.Offer(connectorName, known));
            return null;
        }

        var settings = Settings(map, connector.Spec, tenant, report, references);
        var failed = report.Errors > before;
        return failed ? null : new ConnectionModel(name.Text, tenant, connector, settings);
    }

    private static ConnectionSettings Settings(
        MapNode map, ConnectorSpec spec, string tenant, ConfigReport report, References references)
    {
        var raw = new Dictionary<string, object>(StringComparer.Ordinal);
        var unresolved = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, value) in map.Members)
        {
            if (name.Text is "connector" or "tenant" || value is ScalarNode { IsNull: true })
            {
                continue;
            }

            if (spec.Settings.FirstOrDefault(s => s.Name == name.Text) is not { } setting)
            {
                report.Error("config.unknown_member", name,
                    $"The {spec.Name} connector has no setting {Section.Shown(name.Text)}.",
                    Spelling.Offer(name.Text, [.. spec.Settings.Select(static s => s.Name), "tenant"]));
                continue;
            }

            if (Raw(value, tenant, report, references) is { } read)
            {
                raw[name.Text] = read;
                NotePlainText(setting, value, report);
            }
            else
            {
                unresolved.Add($"{map.Pointer}/{name.Text}");
            }
        }

        var findings = new List<Finding>();
        var settings = ConnectionSettings.Read(spec, raw, map.Pointer, findings);
        foreach (var finding in findings.Where(f => !unresolved.Contains(f.Path ?? "")))
        {
            report.Add(finding);
        }

        return settings;
    }

    private static void NotePlainText(Setting setting, ConfigNode value, ConfigReport report)
    {
        if (value is ScalarNode { Text: ['$', >= 'A' and <= 'Z', ..] variable }
            && variable.Skip(1).All(static c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_'))
        {
            report.Add(FindingSeverity.Warning, "config.reference", value,
                $"{setting.Name} is taken as it is written, with its dollar sign.",
                "For an environment variable write ${env:NAME}.");
            return;
        }

        if (setting.Secret && value is ScalarNode text && !References.Has(text.Text))
        {
            report.Add(FindingSeverity.Note, "config.plain_secret", value,
                $"{setting.Name} is written in the file itself.",
                $"Keep it outside: duplex secrets set {setting.Name}, then {setting.Name}: \"${{secret:{setting.Name}}}\"");
        }
    }

    /// <summary>A text, a list of texts or a map of texts, with references replaced; null when one cannot be.</summary>
    private static object? Raw(ConfigNode node, string tenant, ConfigReport report, References references)
    {
        switch (node)
        {
            case ScalarNode scalar:
                return references.Expand(scalar, tenant);
            case ListNode list:
                var texts = list.Items.Select(item => Text(list, item, tenant, report, references)).ToList();
                return texts.Contains(null) ? null : (IReadOnlyList<string>)texts!;
            case MapNode map:
                var members = map.Members.Select(m =>
                    KeyValuePair.Create(m.Name.Text, Text(map, m.Value, tenant, report, references)));
                var pairs = new Dictionary<string, string?>(members, StringComparer.Ordinal);
                return pairs.ContainsValue(null) ? null : (IReadOnlyDictionary<string, string>)pairs!;
            default:
                return null;
        }
    }

    /// <summary>A finding is about the whole setting: a member's name may itself be what somebody keeps
    /// secret.</summary>
    private static string? Text(ConfigNode whole, ConfigNode node, string tenant, ConfigReport report,
        References references)
    {
        if (node is ScalarNode scalar)
        {
            return references.Expand(scalar, tenant);
        }

        report.Error("config.bad_value", whole,
            $"A setting's member must be a single value, and it is {node.Describe()}.",
            "Write it in one line.");
        return null;
    }
}
