using Duplex.Engine.Outbound;
using Duplex.Engine.Push;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>push:</c> of a customer, from the file or from a request; every fault at once, at its member.</summary>
/// <param name="report">Takes the findings.</param>
/// <param name="references">Replaces references.</param>
/// <param name="kafka">The brokers of the change log, which topics are on unless they name others; null for none.</param>
internal sealed class PushSection(ConfigReport report, References references, KafkaModel? kafka)
{
    private const string Example = "For example push: { url: \"https://example.com/hooks\", secret: \"whsec_…\" }";

    private readonly HashSet<string> _wrong = new(StringComparer.Ordinal);

    /// <summary>Whether it is a request, which refers to nothing and names no brokers.</summary>
    public bool IsRequest { get; init; }

    /// <summary>Whether the secret may be left out, because one is kept.</summary>
    public bool KeepsSecret { get; init; }

    public PushModel? Read(Section customer, string feed, string tenant)
    {
        if (customer.Map("push") is not { } map)
        {
            return null;
        }

        var before = report.Errors;
        var section = new Section(map, "push", report, references, tenant);
        var (url, topic) = (section.Any("url"), section.Any("topic"));
        var byWebhook = url is not null || topic is null;
        if ((url is null) == (topic is null))
        {
            report.Error(url is null ? "config.missing" : "config.bad_value", map, url is null
                ? "push has neither a url nor a topic." : "push has a url and a topic.", $"Name one of them. {Example}");
            _wrong.Add("url");
        }

        var fallback = new PushModel { Feed = feed };
        var model = fallback with
        {
            Url = url is null ? null : UrlOf(section, url),
            Topic = topic is null ? null : TopicOf(section, topic, tenant),
            Secrets = byWebhook ? Texts(section, "secret", tenant) : [],
            Allowed = byWebhook ? Allowed(section, tenant) : [],
            Authorities = byWebhook ? Text(section, "ca") : null,
            Parallelism = (int)section.Whole("parallelism", topic is null ? fallback.Parallelism : 256, 1, 1000),
            RatePerSecond = section.Whole("rate", 0, 0, 1_000_000),
            Timeout = section.Duration("timeout", fallback.Timeout),
            DisableAfter = section.Duration("disable_after", fallback.DisableAfter),
            Retry = Waits(section) ?? fallback.Retry,
        };
        section.Close();
        foreach (var fault in model.Faults())
        {
            if (!_wrong.Contains(fault.Path ?? "") && !(fault.Path == "secret" && KeepsSecret && model.Secrets.Count == 0))
            {
                report.Error("config.bad_value", map.Find(fault.Path ?? "") ?? map, fault.Message, fault.Suggestion ?? Example);
            }
        }

        return report.Errors == before ? model : null;
    }

    private Uri? UrlOf(Section section, ConfigNode node)
    {
        var found = report.Errors;
        if (Text(section, "url") is { } text && Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            return url;
        }

        _wrong.Add("url");
        if (report.Errors == found)
        {
            report.Error("config.bad_value", node, "url is not the address of an endpoint.", "Write https://host/path.");
        }

        return null;
    }

    private PushTopic? TopicOf(Section section, ConfigNode node, string tenant)
    {
        // A name that is not there, or that brokers are missing for, is told once; and a topic needs no secret.
        _wrong.Add("secret");
        _wrong.Add("url");
        var name = Text(section, "topic");
        var partitions = (int)section.Whole("partitions", 3, 1, 1000);
        var brokers = kafka;
        if (section.Any("kafka") is { } own)
        {
            if (IsRequest)
            {
                report.Error("config.bad_value", own, "Brokers are named in duplex.yaml only.",
                    "Remove kafka; the topic is on the brokers of log.kafka.");
            }
            else if (section.Map("kafka") is { } map)
            {
                var access = new Section(map, "push.kafka", report, references, tenant);
                brokers = LogSection.Access(access, report, references);
                access.Close();
            }
        }

        if (name is null)
        {
            return null;
        }

        if (brokers is null)
        {
            report.Error("config.missing", node, "There are no brokers for the topic.", IsRequest
                ? "Configure log.kafka in duplex.yaml, or push to a url."
                : "Configure log.kafka, or add kafka: { bootstrap: \"host:9092\" } to push.");
            return null;
        }

        if (IsOfTheLog(name))
        {
            report.Error("config.bad_value", node, $"Topics with names like {Section.Shown(name)} are those of the change log.",
                "Choose another name.");
        }

        return new PushTopic(name, brokers) { Partitions = partitions };
    }

    /// <summary>What the log itself names so, or may.</summary>
    private bool IsOfTheLog(string name) => kafka is not null
        && name.StartsWith(kafka.Prefix.Length == 0 ? "duplex." : $"{kafka.Prefix}.", StringComparison.Ordinal);

    private List<TimeSpan>? Waits(Section section)
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

    private List<AllowedTarget> Allowed(Section section, string tenant)
    {
        var targets = new List<AllowedTarget>();
        foreach (var text in Texts(section, "allow", tenant))
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

    private string? Text(Section section, string name) =>
        section.Any(name) is ScalarNode scalar && Refers(scalar, name) ? null : section.Text(name);

    /// <summary>One text or a list of them, with references replaced.</summary>
    private List<string> Texts(Section section, string name, string tenant)
    {
        var texts = new List<string>();
        foreach (var item in section.Any(name) switch { null => [], ListNode list => list.Items, { } one => [one] })
        {
            if (item is not ScalarNode scalar)
            {
                _wrong.Add(name);
                report.Error("config.bad_value", item, $"{name} is a text or a list of texts.", Example);
            }
            else if (!Refers(scalar, name) && references.Expand(scalar, tenant) is { } text)
            {
                texts.Add(text);
            }
            else
            {
                _wrong.Add(name);
            }
        }

        return texts;
    }

    /// <summary>Whether a request refers to what only the file may refer to; reported.</summary>
    private bool Refers(ScalarNode scalar, string name)
    {
        if (!IsRequest || !References.Has(scalar.Text))
        {
            return false;
        }

        _wrong.Add(name);
        report.Error("config.reference", scalar, "References are replaced in duplex.yaml only.", "Send the value itself.");
        return true;
    }
}
