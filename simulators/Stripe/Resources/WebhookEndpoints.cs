using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>Webhook endpoints. The signing secret is shown only in the answer that creates one.</summary>
internal sealed class WebhookEndpoints : Resource
{
    private static readonly Param[] Writable =
    [
        Fields.Text("description"),
        new ListParam("enabled_events", Fields.Fixed("enabled_events")),
        Fields.Metadata,
        Fields.Fixed("url"),
        Fields.Expand,
    ];

    public override string Path => "webhook_endpoints";

    public override string ObjectName => "webhook_endpoint";

    public override string IdPrefix => "we_1";

    public override int IdLength => 23;

    public override string Label => "webhook endpoint";

    public override bool HasEvents => false;

    public override ParamSet CreateParams { get; } = new(
        [.. Writable, Fields.Fixed("api_version"), new FlagParam("connect") { Kept = false }]);

    public override ParamSet UpdateParams { get; } = new([.. Writable, new FlagParam("disabled") { Kept = false }]);

    public override ParamSet ListParams { get; } = Fields.List();

    protected override byte[] Blank { get; } = """
        {"id":"","object":"webhook_endpoint","api_version":null,"application":null,"created":0,"description":null,
        "enabled_events":[],"livemode":false,"metadata":{},"status":"enabled","url":""}
        """u8.ToArray();

    protected override void Creating(Transaction transaction, JsonObject value, JsonObject given)
    {
        foreach (var required in (ReadOnlySpan<string>)["enabled_events", "url"])
        {
            if (given[required] is null)
            {
                throw StripeException.Invalid(
                    "parameter_missing", $"Missing required param: {required}.", required);
            }
        }

        CheckUrl(value);
    }

    protected override void Updating(Transaction transaction, JsonObject value, JsonObject given)
    {
        if (given["disabled"] is not null)
        {
            value["status"] = Json.Flag(given, "disabled") ? "disabled" : "enabled";
        }

        CheckUrl(value);
    }

    private static void CheckUrl(JsonObject value)
    {
        var url = Json.Text(value, "url");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
        {
            throw StripeException.Invalid("url_invalid", "Invalid URL: An explicit scheme (such as https) must be "
                + "provided.", "url");
        }
    }
}
