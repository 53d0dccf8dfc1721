using Duplex.Engine.Push;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>A customer as it is asked for at run time: the members that it has under <c>customers:</c>, without files.</summary>
public sealed record CustomerRequest
{
    /// <summary>The most tables of a customer.</summary>
    public const int TablesMax = 256;

    private CustomerRequest()
    {
    }

    /// <summary>Whose changes it gets; null where it does not say.</summary>
    public string? Tenant { get; private init; }

    /// <summary>The tables.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>Where it begins when it is new, and where tables begin that are new to it.</summary>
    public required FeedStart Start { get; init; }

    /// <summary>What its feed keeps.</summary>
    public required (TimeSpan Age, long Bytes) Retention { get; init; }

    /// <summary>Where its feed is pushed to, without a secret where one is kept; null when it is only polled.</summary>
    public PushModel? Push { get; private init; }

    /// <summary><see cref="Push"/> as it was given, JSON, without its secret.</summary>
    internal string? PushDocument { get; private init; }

    /// <summary>Reads a document; null with the reasons among the findings, each with its line.</summary>
    /// <param name="text">YAML, of which JSON is a part.</param>
    /// <param name="name">The customer's name.</param>
    /// <param name="kafka">The brokers that topics are on; null for none.</param>
    /// <param name="keepsSecret">Whether a push may leave out its secret, because one is kept.</param>
    public static (CustomerRequest? Request, IReadOnlyList<Finding> Findings) Read(
        string text, string name, KafkaModel? kafka = null, bool keepsSecret = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var report = new ConfigReport("body");
        ConfigNames.Check(new ScalarNode("", 1, 1, "", false), name, "A customer", report);
        if (YamlTree.Read(text, report) is not MapNode map)
        {
            report.Error("config.missing", new ScalarNode("", 1, 1, "", false), "The body is not a customer.",
                "Send tables: [ users ] with the tables that it gets.");
            return (null, report.Findings);
        }

        var references = new References(report, static _ => null, static () => null);
        var section = new Section(map, "The customer", report, references);
        var parts = new CustomerSection(report, references, "/");
        var tenant = section.Text("tenant");
        if (tenant is not null)
        {
            ConfigNames.Check(map.Find("tenant")!, tenant, "A tenant", report);
        }

        var tables = parts.TableNodes(section).Select(static t => t.Table).Distinct(StringComparer.Ordinal).ToList();
        var start = parts.Start(section);
        var retention = parts.Retention(section);
        var push = new PushSection(report, references, kafka) { IsRequest = true, KeepsSecret = keepsSecret }
            .Read(section, name, tenant ?? "");
        section.Close();
        if (tables.Count > TablesMax)
        {
            report.Error("config.bad_value", map, $"A customer gets at most {TablesMax} tables.", "Make two customers of it.");
        }

        foreach (var stray in start.Offsets.Keys.Where(k => !tables.Contains(k.Table, StringComparer.Ordinal)))
        {
            report.Error("config.bad_value", map.Find("start")!, $"start names {stray.Table}, which is none of the tables.",
                "Name it among the tables, or remove it.");
        }

        return (report.HasErrors ? null : new CustomerRequest
        {
            Tenant = tenant,
            Tables = tables,
            Start = start,
            Retention = retention,
            Push = push,
            PushDocument = push is null ? null : WithoutSecret((MapNode)map.Find("push")!),
        }, report.Findings);
    }

    /// <summary>A push as it was stored, without its secret; null with the reasons where it is not valid any more.</summary>
    internal static (PushModel? Push, IReadOnlyList<Finding> Findings) ReadPush(string document, string name, KafkaModel? kafka)
    {
        var report = new ConfigReport("push");
        var references = new References(report, static _ => null, static () => null);
        var map = new MapNode("", 1, 1, [new ConfigMember(new ScalarNode("/push", 1, 1, "push", true), YamlTree.Read(document, report)!)]);
        var push = new PushSection(report, references, kafka) { IsRequest = true, KeepsSecret = true }
            .Read(new Section(map, "The customer", report, references), name, "");
        return (push, report.Findings);
    }

    private static string WithoutSecret(MapNode push) => NodeJson.Of(
        push with { Members = [.. push.Members.Where(static m => m.Name.Text != "secret")] }).GetRawText();
}
