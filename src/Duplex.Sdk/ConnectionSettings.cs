namespace Duplex.Sdk;

/// <summary>The validated settings of one connection. Immutable.</summary>
/// <param name="values">Typed values by setting name, as <see cref="Setting.Read"/> gave them; settings not configured
/// are absent.</param>
public sealed class ConnectionSettings(IReadOnlyDictionary<string, object> values)
{
    /// <summary>The configured value, or the setting's default.</summary>
    public T Get<T>(Setting<T> setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return values.TryGetValue(setting.Name, out var value) ? (T)value : setting.Fallback!;
    }

    /// <summary>Whether the setting was configured.</summary>
    public bool Has(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return values.ContainsKey(setting.Name);
    }

    /// <summary>
    /// Reads raw values (string, list of string or string map by name) against a spec, and reports unknown names,
    /// missing and refused values all at once, each with the JSON pointer of the connection and the setting's name.
    /// </summary>
    public static ConnectionSettings Read(
        ConnectorSpec spec, IReadOnlyDictionary<string, object> raw, string path, ICollection<Finding> findings)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(raw);
        ArgumentNullException.ThrowIfNull(findings);
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var setting in spec.Settings)
        {
            if (raw.TryGetValue(setting.Name, out var given))
            {
                var value = setting.Read(given, out var problem);
                problem ??= setting.Required && value is "" ? "is empty" : null;
                if (problem is not null)
                {
                    findings.Add(new Finding(FindingSeverity.Error, "config.bad_value", $"{path}/{setting.Name}",
                        $"{setting.Name} {problem}.", (setting.Example ?? setting.DefaultText) is { } example
                            ? $"For example {setting.Name}: {example}" : setting.Doc));
                }
                else if (value is not null)
                {
                    values[setting.Name] = value;
                }
            }
            else if (setting.Required)
            {
                findings.Add(new Finding(FindingSeverity.Error, "config.missing", $"{path}/{setting.Name}",
                    $"{setting.Name} is missing: {setting.Doc}", $"Add {setting.Name}: {setting.Example ?? "…"}"));
            }
        }

        foreach (var name in raw.Keys.Where(n => spec.Settings.All(s => s.Name != n)))
        {
            findings.Add(new Finding(FindingSeverity.Error, "config.unknown_member", $"{path}/{name}",
                $"The {spec.Name} connector has no setting {name}.",
                $"It takes {string.Join(", ", spec.Settings.Select(s => s.Name))}."));
        }

        return new ConnectionSettings(values);
    }
}
