using System.Globalization;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe;

/// <summary>Everything that would keep a connection from working, found without changing anything at Stripe.</summary>
internal sealed class StripeChecks(ConnectorContext context, IReadOnlyList<StreamUse> uses)
{
    /// <summary>An id that no object has: a write to it tells whether the key may write, and writes nothing.</summary>
    private const string NoObject = "duplex_permission_check";

    private readonly List<Finding> _findings = [];

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        CheckKey();
        CheckAccount();
        CheckAddress();
        CheckWebhooks();
        CheckRates();
        foreach (var use in uses.Where(static u => StripeStream.All.All(s => s.Name != u.Stream)))
        {
            Add(FindingSeverity.Error, "stripe.unknown_stream", null, $"Stripe has no stream {use.Stream}.",
                $"Use one of {string.Join(", ", StripeStream.All.Select(static s => s.Name))}.");
        }

        if (_findings.All(static f => f.Severity != FindingSeverity.Error))
        {
            using var client = new StripeClient(context);
            await CheckAccessAsync(client, cancellationToken);
        }

        return _findings;
    }

    private void CheckKey()
    {
        var key = context.Settings.Get(StripeSettings.ApiKey) ?? "";
        if (key.StartsWith("pk_", StringComparison.Ordinal))
        {
            Add(FindingSeverity.Error, "stripe.publishable_key", StripeSettings.ApiKey,
                "api_key is a publishable key, which may neither read nor write.",
                    "Use a secret (sk_…) or restricted (rk_…) key.");
        }
        else if (key.Length == 0 || key.Any(static c => c is <= ' ' or > '~'))
        {
            Add(FindingSeverity.Error, "stripe.bad_key", StripeSettings.ApiKey,
                "api_key is empty or holds characters that no key has.", "Copy the key anew from Stripe's dashboard.");
        }
    }

    private void CheckAccount()
    {
        if (context.Settings.Get(StripeSettings.Account) is { } account
            && (!account.StartsWith("acct_", StringComparison.Ordinal) || account.Any(static c => c is <= ' ' or > '~')))
        {
            Add(FindingSeverity.Error, "stripe.bad_account", StripeSettings.Account,
                "account is not the identifier of a connected account.",
                "Set it to the acct_… of the account, or remove it to act for the key's own.");
        }
    }

    private void CheckAddress()
    {
        var text = context.Settings.Get(StripeSettings.BaseUrl);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            Add(FindingSeverity.Error, "stripe.bad_address", StripeSettings.BaseUrl,
                "base_url is not an http or https address.", "Remove base_url, or set it to https://api.stripe.com.");
        }
        else if (address.Scheme == "http" && !address.IsLoopback)
        {
            Add(FindingSeverity.Error, "stripe.plain_address", StripeSettings.BaseUrl,
                "base_url would send the key unencrypted over the network.", "Use https.");
        }
    }

    private void CheckWebhooks()
    {
        if (!uses.Any(static u => u.Reads))
        {
            return;
        }

        var secrets = context.Settings.Get(StripeSettings.WebhookSecret);
        if (secrets.Count == 0)
        {
            Add(FindingSeverity.Note, "stripe.no_webhook", StripeSettings.WebhookSecret,
                "Without webhooks, changes at Stripe arrive at the next poll.",
                "Add a webhook endpoint in Stripe's dashboard and set webhook_secret to its signing secret.");
        }
        else if (secrets.Any(static s => !s.StartsWith("whsec_", StringComparison.Ordinal)))
        {
            Add(FindingSeverity.Warning, "stripe.webhook_secret", StripeSettings.WebhookSecret,
                "A webhook secret does not start with whsec_, as Stripe's signing secrets do.",
                "Copy the signing secret of the endpoint from Stripe's dashboard.");
        }
    }

    private void CheckRates()
    {
        foreach (var (operation, rate) in context.Settings.Get(StripeSettings.OperationRates))
        {
            if (!double.TryParse(rate, NumberStyles.Float, CultureInfo.InvariantCulture, out var perSecond)
                || perSecond < 0)
            {
                Add(FindingSeverity.Error, "stripe.bad_rate", StripeSettings.OperationRates,
                    $"The rate of {operation} is not a number of requests per second.",
                        "Write it like \"50\"; 0 means no limit.");
            }
        }
    }

    private async Task CheckAccessAsync(StripeClient client, CancellationToken cancellationToken)
    {
        if (uses.Any(static u => u.Reads)
            && !await CheckAsync(client, "read events", StripeRequest.Get("/v1/events", "/v1/events?limit=1"),
                cancellationToken))
        {
            return;
        }

        foreach (var stream in uses.Select(static u => u.Stream).Distinct().Select(StripeStream.Of))
        {
            var list = StripeRequest.Get(stream.Path, $"{stream.Path}?limit=1");
            if (!await CheckAsync(client, $"read {stream.Name}", list, cancellationToken))
            {
                return;
            }

            if (uses.Any(u => u.Stream == stream.Name && u.Writes) && IsRestricted)
            {
                var write = StripeRequest.Post(stream.ObjectPath, stream.PathOf(NoObject), new FormBody(), NoObject)
                    with { Target = stream.Object, IdempotencyKey = null };
                await CheckAsync(client, $"write {stream.Name}", write, cancellationToken);
            }
        }
    }

    private bool IsRestricted =>
        context.Settings.Get(StripeSettings.ApiKey).StartsWith("rk_", StringComparison.Ordinal);

    /// <returns>False when further questions are in vain.</returns>
    private async Task<bool> CheckAsync(
        StripeClient client, string what, StripeRequest request, CancellationToken cancellationToken)
    {
        var reply = await client.ReadAsync(request, 2, cancellationToken);
        switch (reply.Error?.Code)
        {
            case null or ErrorCode.SinkGone:
                return true;
            case ErrorCode.SinkUnauthorized when reply.Status == 403:
                Add(FindingSeverity.Error, "stripe.forbidden", StripeSettings.ApiKey,
                    $"The key may not {what}.",
                        $"Grant the restricted key permission to {what} in Stripe's dashboard.");
                return true;
            case ErrorCode.SinkUnauthorized:
                Add(FindingSeverity.Error, "stripe.unauthorized", StripeSettings.ApiKey,
                    $"Stripe refuses the key: {reply.Error.Detail}", reply.Error.Suggestion);
                return false;
            case ErrorCode.SinkUnavailable or ErrorCode.SinkFailed or ErrorCode.SinkRateLimited or ErrorCode.SinkBusy:
                Add(FindingSeverity.Error, "stripe.unreachable", StripeSettings.BaseUrl,
                    $"Stripe cannot be asked: {reply.Error.Message} {reply.Error.Detail}".TrimEnd(),
                    reply.Error.Suggestion
                        ?? "Check base_url, the network and https://status.stripe.com, then try again.");
                return false;
            default:
                Add(FindingSeverity.Error, "stripe.refused", StripeSettings.ApiVersion,
                    $"Stripe refuses to {what}: {reply.Error.Message} {reply.Error.Detail}".TrimEnd(),
                    "Check api_version and account.");
                return true;
        }
    }

    private void Add(FindingSeverity severity, string code, Setting? setting, string message, string? suggestion) =>
        _findings.Add(new Finding(severity, code,
            setting is null ? null : $"/connections/{context.Connection}/{setting.Name}", message, suggestion));
}
