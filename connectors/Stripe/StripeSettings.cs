using Duplex.Sdk;

namespace Duplex.Connectors.Stripe;

/// <summary>The settings of a Stripe connection. A name is written here and nowhere else.</summary>
internal static class StripeSettings
{
    /// <summary>The version of Stripe's API that the schemas of this connector describe.</summary>
    public const string PinnedVersion = "2026-07-29.dahlia";

    public static readonly Setting<string> ApiKey = Setting.Text("api_key",
        "Secret or restricted key. A restricted one needs read access to the streams and to events, and write access to the "
        + "streams that a sync writes.") with { Required = true, Secret = true, Example = "${secret:stripe}" };

    public static readonly Setting<IReadOnlyList<string>> WebhookSecret = Setting.List("webhook_secret",
        "Signing secret of the webhook endpoint. Several while a secret is being rotated. Without one, webhooks are refused and "
        + "changes arrive by polling alone.") with { Secret = true, Example = "${secret:stripe-webhook}" };

    public static readonly Setting<string> BaseUrl = Setting.Text("base_url",
        "Where Stripe's API is.", "https://api.stripe.com") with { Example = "http://127.0.0.1:12111" };

    public static readonly Setting<string> ApiVersion = Setting.Text("api_version",
        "The Stripe-Version that every request pins.", PinnedVersion);

    public static readonly Setting<string> Account = Setting.Text("account",
        "A connected account (acct_…) to act for; the key's own account when absent.") with { Example =
            "acct_1032D82eZvKYlo2C" };

    public static readonly Setting<TimeSpan> WebhookTolerance = Setting.Duration("webhook_tolerance",
        "How far a webhook's timestamp may be from our clock, in either direction.", TimeSpan.FromMinutes(5));

    public static readonly Setting<TimeSpan> PollInterval = Setting.Duration("poll_interval",
        "How often the Events API is asked for what webhooks missed. When absent: 5s without a webhook secret, 30s with one.",
        TimeSpan.FromSeconds(5));

    public static readonly Setting<TimeSpan> EventOverlap = Setting.Duration("event_overlap",
        "How far each poll looks back behind the newest event it has seen, because events become visible out of order.",
        TimeSpan.FromMinutes(1));

    public static readonly Setting<int> RequestsPerSecond = Setting.Integer("requests_per_second",
        "Requests per second of the whole account; 0 for no limit. When absent: 100 with a live key, 25 with a test key.",
        100, 0, 1_000_000);

    public static readonly Setting<int> RequestsPerOperation = Setting.Integer("requests_per_operation",
        "Requests per second of one operation, such as POST /v1/customers; 0 for no limit.", 25, 0, 1_000_000);

    public static readonly Setting<IReadOnlyDictionary<string, string>> OperationRates = Setting.Map("operation_rates",
        "Requests per second of single operations where Stripe granted another rate, by operation.") with
    {
        Example = "{ \"POST /v1/customers\": \"50\" }",
    };

    public static readonly Setting<TimeSpan> RequestTimeout = Setting.Duration("request_timeout",
        "How long one request may take before its outcome counts as unknown.", TimeSpan.FromSeconds(30));

    public static readonly Setting<int> BackfillParallelism = Setting.Integer("backfill_parallelism",
        "How many list requests a snapshot or a comparison has in flight at once.", 4, 1, 32);

    public static readonly Setting<bool> HonourFwdPush = Setting.Boolean("honour_fwd_push",
        "Whether changes of objects whose metadata says fwd-push: true are left alone, as two-way scripts that mark what they "
        + "pushed expect. Duplex itself never sets that mark.", true);

    public static readonly IReadOnlyList<Setting> All =
    [
        ApiKey, WebhookSecret, BaseUrl, ApiVersion, Account, WebhookTolerance, PollInterval, EventOverlap,
            RequestsPerSecond,
        RequestsPerOperation, OperationRates, RequestTimeout, BackfillParallelism, HonourFwdPush,
    ];
}
