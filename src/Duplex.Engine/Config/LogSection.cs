namespace Duplex.Engine.Config;

/// <summary>Reads <c>log:</c>.</summary>
internal static class LogSection
{
    private const int PrefixLengthMax = 100;

    // What the log's promises rest on is not for sale.
    private static readonly string[] Reserved =
    [
        "acks", "bootstrap.servers", "enable.auto.commit", "enable.auto.offset.store", "enable.idempotence",
        "enable.partition.eof", "group.id", "isolation.level", "transactional.id", "auto.offset.reset",
    ];

    public static LogModel Read(Section root, ConfigReport report, References references)
    {
        if (root.Map("log") is not { } map)
        {
            return new LogModel();
        }

        var section = new Section(map, "log", report, references);
        var kafka = section.Map("kafka", "Write log: { kafka: { bootstrap: \"host:9092\" } }, or remove log.");
        section.Close();
        return kafka is null ? new LogModel() : Kafka(new Section(kafka, "log.kafka", report, references), report, references);
    }

    private static LogModel Kafka(Section section, ConfigReport report, References references)
    {
        var access = Access(section, report, references);
        var prefix = section.Text("prefix") ?? "";
        if (prefix.Length > PrefixLengthMax || !prefix.All(IsNameCharacter))
        {
            report.Error("config.bad_value", section.Any("prefix")!,
                $"prefix has up to {PrefixLengthMax} letters, digits, dots, _ and -.", "For example duplex.");
        }

        var partitions = (int)section.Whole("partitions", 0, 1, 1000);
        var model = access with
        {
            Prefix = prefix,
            BrokerRetention = section.Choice("retention", false, ("consumed", false), ("broker", true)),
            AppendWithin = section.Duration("append_within", access.AppendWithin),
            DeliveriesMax = (int)section.Whole("deliveries_max", access.DeliveriesMax, 0, 10_000_000),
        };
        section.Close();
        return new LogModel { Kafka = model, Partitions = partitions == 0 ? null : partitions };
    }

    /// <summary>Reads how brokers are reached, and how topics are made there; the caller closes the section.</summary>
    public static KafkaModel Access(Section section, ConfigReport report, References references)
    {
        var bootstrap = section.Text("bootstrap", "Name a broker: bootstrap: \"localhost:9092\"") ?? "";
        if (section.Any("bootstrap") is { } given && !bootstrap.Split(',').All(IsAddress))
        {
            report.Error("config.bad_value", given, "bootstrap must name brokers with their ports.",
                "For example \"kafka-1:9092,kafka-2:9092\".");
        }

        var fallback = new KafkaModel(bootstrap);
        return fallback with
        {
            Replicas = (short)section.Whole("replicas", fallback.Replicas, 1, 100),
            Compression = section.Choice("compression", fallback.Compression, ("lz4", "lz4"), ("zstd", "zstd"),
                ("snappy", "snappy"), ("gzip", "gzip"), ("none", "none")),
            Properties = Properties(section, report, references),
        };
    }

    private static Dictionary<string, string> Properties(Section section, ConfigReport report, References references)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        void Take(string member, string property)
        {
            if (section.Text(member) is { } text)
            {
                properties[property] = text;
            }
        }

        if (section.Any("security") is not null)
        {
            properties["security.protocol"] = section.Choice("security", "plaintext", ("plaintext", "plaintext"),
                ("tls", "ssl"), ("sasl", "sasl_plaintext"), ("sasl_tls", "sasl_ssl"));
        }

        if (section.Any("mechanism") is not null)
        {
            properties["sasl.mechanism"] = section.Choice("mechanism", "PLAIN", ("plain", "PLAIN"),
                ("scram-sha-256", "SCRAM-SHA-256"), ("scram-sha-512", "SCRAM-SHA-512"));
        }

        Take("username", "sasl.username");
        Take("password", "sasl.password");
        Take("ca", "ssl.ca.location");
        Take("certificate", "ssl.certificate.location");
        Take("key", "ssl.key.location");
        foreach (var member in section.Map("properties")?.Members ?? [])
        {
            if (member.Value is not ScalarNode value)
            {
                report.Error("config.bad_value", member.Value, "A property has a single value.", "Write name: value.");
            }
            else if (Reserved.Contains(member.Name.Text, StringComparer.Ordinal))
            {
                report.Error("config.bad_value", member.Name, $"Duplex sets {Section.Shown(member.Name.Text)} itself.",
                    "Remove it.");
            }
            else if (references.Expand(value, null) is { } text)
            {
                properties[member.Name.Text] = text;
            }
        }

        return properties;
    }

    private static bool IsAddress(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), out var port) && port > 0
            && !text.Any(static c => char.IsWhiteSpace(c) || char.IsControl(c));
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-';
}
