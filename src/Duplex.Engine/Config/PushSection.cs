using Duplex.Engine.Outbound;
using Duplex.Engine.Push;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>push:</c> of a customer.</summary>
internal static class PushSection
{
    private const string Example = "For example push: { url: \"https://example.com/hooks\", secret: \"${secret:hooks}\" }";

    public static PushModel? Read(
        Section customer, string feed, string tenant, ConfigReport report, References references)
    {
        if (customer.Map("push") is not { } map)
        {
            return null;
        }

        var before = report.Errors;
        var section = new Section(map, "push", report, references, tenant);
        var text = section.Text("url", Example);
        var secrets = Texts(section, "secret", tenant, report, references);
        var model = new PushModel
        {
            Feed = feed,
            Url = Uri.TryCreate(text, UriKind.Absolute, out var url) ? url : new Uri("about:blank"),
            Secrets = secrets,
            Parallelism = (int)section.Whole("parallelism", 16, 1, 1000),
            RatePerSecond = section.Whole("rate", 0, 0, 1_000_000),
            Timeout = section.Duration("timeout", TimeSpan.FromSeconds(20)),
            DisableAfter = section.Duration("disable_after", TimeSpan.FromHours(72)),
            Retry = Waits(section, report) ?? PushModel.RetryDefault,
            Allowed = Allowed(section, tenant, report, references),
        };
        section.Close();
        if (report.Errors == before)
        {
            foreach (var fault in model.Faults())
            {
                report.Error("config.bad_value", map, fault.Message, fault.Suggestion ?? Example);
            }
        }

        return report.Errors == before ? model : null;
    }

    private static List<TimeSpan>? Waits(Section section, ConfigReport report)
    {
        if (section.List("retry") is not { } list)
        {
            return null;
        }

        var waits = new List<TimeSpan>();
        foreach (var item in list.Items)
        {
            if (item is ScalarNode scalar && Durations.TryParse(scalar.Text, out var wait))
            {
                waits.Add(wait);
            }
            else
            {
                report.Error("config.bad_value", item, "retry is a list of waits.", "For example retry: [ 5s, 5m, 30m ].");
            }
        }

        return waits;
    }

    private static List<AllowedTarget> Allowed(Section section, string tenant, ConfigReport report, References references)
    {
        var targets = new List<AllowedTarget>();
        foreach (var text in Texts(section, "allow", tenant, report, references))
        {
            if (AllowedTarget.TryParse(text, out var target))
            {
                targets.Add(target);
            }
            else
            {
                report.Error("config.bad_value", section.Any("allow")!, "allow names addresses that are not on the public internet.",
                    "For example allow: [ 10.1.0.0/16, \"127.0.0.1:9000\", receiver.internal:8080 ].");
            }
        }

        return targets;
    }

    /// <summary>One text or a list of them, with references replaced.</summary>
    private static List<string> Texts(
        Section section, string name, string tenant, ConfigReport report, References references)
    {
        var texts = new List<string>();
        foreach (var item in section.Any(name) switch { null => [], ListNode list => list.Items, { } one => [one] })
        {
            if (item is not ScalarNode scalar)
            {
                report.Error("config.bad_value", item, $"{name} is a text or a list of texts.", Example);
            }
            else if (references.Expand(scalar, tenant) is { } text)
            {
                texts.Add(text);
            }
        }

        return texts;
    }
}
