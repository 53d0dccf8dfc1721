using Duplex.Engine.Outbound;
using Duplex.Sdk;

namespace Duplex.Engine.Push;

/// <summary>A customer's endpoint that its feed is pushed to.</summary>
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

    /// <summary>Where webhooks go.</summary>
    public required Uri Url { get; init; }

    /// <summary>What signs them, <c>whsec_…</c>: one, or the fresh one and the one that it replaces.</summary>
    public required IReadOnlyList<string> Secrets { get; init; }

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

    /// <summary>What makes the model unusable: an address that is refused, secrets that are none, numbers out of bounds.</summary>
    public IReadOnlyList<SyncError> Faults()
    {
        var faults = new List<SyncError>();
        if (new AddressGuard(Policy, TimeProvider.System).Check(Url) is { } refused)
        {
            faults.Add(refused);
        }

        if (Secrets.Count == 0 || Secrets.Any(static s => !WebhookSecret.TryParse(s, out _)))
        {
            faults.Add(new SyncError(ErrorCode.ConfigInvalid,
                "A webhook secret is 'whsec_' and the base64 of 24 to 64 bytes, and there is at least one.",
                Suggestion: "Make one: echo whsec_$(openssl rand -base64 32)"));
        }

        Require(Parallelism is >= 1 and <= 1000, "The parallelism is between 1 and 1000.");
        Require(RatePerSecond is >= 0 and <= 1e6, "The rate is between 0 (no limit) and 1000000 requests per second.");
        Require(Timeout >= TimeSpan.FromSeconds(1) && Timeout <= TimeSpan.FromMinutes(5),
            "The time-out is between 1s and 5m.");
        Require(Retry.All(static w => w >= TimeSpan.Zero && w <= TimeSpan.FromDays(7)) && Retry.Count <= 100,
            "There are at most 100 waits, none longer than 7d.");
        Require(DisableAfter > TimeSpan.Zero, "The time to disabling is longer than nothing.");
        Require(Jitter is >= 0 and <= 1 && WaitingMax >= 1 && RetryAfterMax > TimeSpan.Zero, "A limit is out of bounds.");
        return faults;

        void Require(bool holds, string message)
        {
            if (!holds)
            {
                faults.Add(new SyncError(ErrorCode.ConfigInvalid, message));
            }
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
