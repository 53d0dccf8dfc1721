using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe;

/// <summary>How a simulator is set up. Every member has a default that suits a test.</summary>
public sealed record StripeSimulatorOptions
{
    /// <summary>Port on the loopback interface; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The secret key that may do everything.</summary>
    public string ApiKey { get; init; } = "sk_test_duplex";

    /// <summary>
    /// Restricted keys with what each may do, such as <c>customers:read</c> or <c>products:write</c>.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<string>> RestrictedKeys { get; init; } =
        new Dictionary<string, IReadOnlyCollection<string>>();

    /// <summary>Keys that answer 401 <c>api_key_expired</c>.</summary>
    public IReadOnlyCollection<string> ExpiredKeys { get; init; } = [];

    /// <summary>Id that <c>GET /v1/account</c> answers.</summary>
    public string AccountId { get; init; } = "acct_1Duplex00000000";

    /// <summary>Version of event payloads, and of requests that name none.</summary>
    public string ApiVersion { get; init; } = "2026-07-29.dahlia";

    /// <summary>Webhook endpoint that exists from the start; null for none.</summary>
    public Uri? WebhookUrl { get; init; }

    /// <summary>Signing secrets of that endpoint, one signature each; empty makes one up.</summary>
    public IReadOnlyList<string> WebhookSecrets { get; init; } = [];

    /// <summary>Webhook requests that run at the same time; 1 keeps the order of events while none fails.</summary>
    public int WebhookConcurrency { get; init; } = 8;

    /// <summary>
    /// Wait before the first repetition of a failed webhook; it doubles up to <see cref="WebhookRetryMax"/>.
    /// </summary>
    public TimeSpan WebhookRetryFirst { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between repetitions.</summary>
    public TimeSpan WebhookRetryMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Age at which a webhook is given up.</summary>
    public TimeSpan WebhookAgeMax { get; init; } = TimeSpan.FromDays(3);

    /// <summary>Time in which a webhook is to be answered.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Rate limits; the default is a live account's.</summary>
    public StripeLimits Limits { get; init; } = new();

    /// <summary>Time every request takes beside its work.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>
    /// Called when a request has been read and before anything is done for it, with the operation's name and a look-up
    /// of its parameters by name. For measurements; called from many requests at once.
    /// </summary>
    public Action<string, Func<string, string?>>? RequestRead { get; init; }

    /// <summary>How far search is behind.</summary>
    public TimeSpan SearchLag { get; init; }

    /// <summary>Folder that keeps the state across restarts; null keeps it in memory only.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Customers to make up at the start.</summary>
    public int SeedCustomers { get; init; }

    /// <summary>Seed of ids and of chance in faults; null makes ids that no other simulator makes.</summary>
    public int? Seed { get; init; }

    /// <summary>The clock below the simulated one; limits and delays run on it.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
