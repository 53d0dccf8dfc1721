using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Duplex.Engine.Config;
using Duplex.Engine.Outbound;
using Duplex.Sdk;

namespace Duplex.Engine.Push;

/// <summary>Where a customer's feed is pushed to: an endpoint by webhooks, or a topic.</summary>
public sealed record PushModel
{
    /// <summary>The waits before the second and later attempts: ten attempts within 75 hours and 35 minutes.</summary>
    public static readonly IReadOnlyList<TimeSpan> RetryDefault =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2),
        TimeSpan.FromHours(5), TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>The feed's name, and so the customer's.</summary>
    public required string Feed { get; init; }

    /// <summary>Where webhooks go; null for a topic.</summary>
    public Uri? Url { get; init; }

    /// <summary>The topic; null for webhooks.</summary>
    public PushTopic? Topic { get; init; }

    /// <summary>What signs webhooks, <c>whsec_…</c>: one, or the fresh one and the one that it replaces.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Until when the replaced secret signs too; null for as long as it is there.</summary>
    public DateTimeOffset? FormerSecretUntil { get; init; }

    /// <summary>Requests at once. Those of one record go one after the other.</summary>
    public int Parallelism { get; init; } = 16;

    /// <summary>Requests per second; zero for no limit.</summary>
    public double RatePerSecond { get; init; }

    /// <summary>The waits before the second and later attempts of a record. After the last one it has failed.</summary>
    public IReadOnlyList<TimeSpan> Retry { get; init; } = RetryDefault;

    /// <summary>How much longer a wait may become by chance, as a share of it.</summary>
    public double Jitter { get; init; } = 0.1;

    /// <summary>The longest that the endpoint may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The longest that <c>Retry-After</c> is believed.</summary>
    public TimeSpan RetryAfterMax { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The endpoint is disabled when no request to it has succeeded for this long although some were made. Shorter
    /// than all waits together, so that an outage disables it before records are given up.</summary>
    public TimeSpan DisableAfter { get; init; } = TimeSpan.FromHours(72);

    /// <summary>Records in memory that are not delivered yet; nothing more is read while so many are.</summary>
    public int WaitingMax { get; init; } = 10_000;

    /// <summary>Addresses beyond the public internet that the endpoint may have.</summary>
    public IReadOnlyList<AllowedTarget> Allowed { get; init; } = [];

    /// <summary>Certificates, PEM, of which one must have signed the endpoint's; null for those that the system trusts.</summary>
    public string? Authorities { get; init; }

    /// <summary>What it is pushed to, in a few words that differ where the place does.</summary>
    public string Target => Topic is { } topic ? $"topic {topic.Name} at {topic.Kafka.Bootstrap}" : $"{Url}";

    /// <summary>What makes the model unusable: an address that is refused, secrets that are none, numbers out of bounds. The
    /// path of each is the member of <c>push</c> that it is about.</summary>
    public IReadOnlyList<SyncError> Faults()
    {
        var faults = new List<SyncError>();
        Require((Url is null) != (Topic is null), "url", "Records are pushed to a url or to a topic, and to one of them only.",
            "Name one of them.");
        if (Url is not null && new AddressGuard(Policy, TimeProvider.System).Check(Url) is { } refused)
        {
            faults.Add(refused with { Path = "url" });
        }

        Require(Topic is not null || (Secrets.Count is 1 or 2 && Secrets.All(static s => WebhookSecret.TryParse(s, out _))), "secret",
            "A webhook secret is 'whsec_' and the base64 of 24 to 64 bytes; there is one, or two while one is replaced.",
            "Make one: echo whsec_$(openssl rand -base64 32)");
        Require(Authorities is null || Trust(Authorities).Count > 0, "ca", "ca holds no certificate.",
            "Give the certificate of the authority as PEM: -----BEGIN CERTIFICATE-----…");
        Require(Topic is null || PushTopic.IsName(Topic.Name), "topic",
            "A topic's name has up to 249 letters, digits, dots, _ and -, and does not begin with __.", "For example customer-a.");
        Require(Topic is null or { Partitions: >= 1 and <= 1000 }, "partitions", "A topic has 1 to 1000 partitions.", "For example 3.");
        Require(Parallelism is >= 1 and <= 1000, "parallelism", "The parallelism is between 1 and 1000.", "For example 16.");
        Require(RatePerSecond is >= 0 and <= 1e6, "rate", "The rate is between 0 (no limit) and 1000000 per second.",
            "For example 100.");
        Require(Timeout >= TimeSpan.FromSeconds(1) && Timeout <= TimeSpan.FromMinutes(5), "timeout",
            "The time-out is between 1s and 5m.", "For example 20s.");
        Require(Retry.All(static w => w >= TimeSpan.Zero && w <= TimeSpan.FromDays(7)) && Retry.Count <= 100, "retry",
            "There are at most 100 waits, none longer than 7d.", "For example retry: [ 5s, 5m, 30m ].");
        Require(DisableAfter > TimeSpan.Zero, "disable_after", "The time to disabling is longer than nothing.", "For example 72h.");
        Require(Jitter is >= 0 and <= 1 && WaitingMax >= 1 && RetryAfterMax > TimeSpan.Zero, null, "A limit is out of bounds.", null);
        return faults;

        void Require(bool holds, string? member, string message, string? suggestion)
        {
            if (!holds)
            {
                faults.Add(new SyncError(ErrorCode.ConfigInvalid, message, member, suggestion));
            }
        }
    }

    /// <summary>The certificates of a text; none where it holds something else.</summary>
    internal static X509Certificate2Collection Trust(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
            return certificates;
        }
        catch (CryptographicException)
        {
            return [];
        }
    }

    /// <summary>What the endpoint's requests may reach and cost.</summary>
    internal AddressPolicy Policy => new()
    {
        Allowed = Allowed,
        ResponseBytesMax = 1 << 20,
        Timeout = Timeout,
        ConnectTimeout = TimeSpan.FromSeconds(Math.Min(10, Timeout.TotalSeconds)),
    };
}

/// <summary>A topic that a feed is pushed to.</summary>
/// <param name="Name">Its name in the cluster, as it is.</param>
/// <param name="Kafka">How its brokers are reached.</param>
public sealed record PushTopic(string Name, KafkaModel Kafka)
{
    /// <summary>Partitions of the topic when it is made.</summary>
    public int Partitions { get; init; } = 3;

    /// <summary>Whether a cluster takes the name for a topic that is not its own.</summary>
    internal static bool IsName(string text) => text is { Length: >= 1 and <= 249 } and not ("." or "..")
        && !text.StartsWith("__", StringComparison.Ordinal)
        && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
