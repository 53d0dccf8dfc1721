using System.Text;
using System.Text.Json.Nodes;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>The two objects that every account has exactly one of.</summary>
internal static class AccountObjects
{
    public static byte[] Account(JsonObject given, StripeSimulatorOptions options)
    {
        _ = given;
        return Encoding.UTF8.GetBytes($$$"""
            {"id":"{{{options.AccountId}}}","object":"account","business_profile":{"name":"Simulated account"},
            "business_type":null,"capabilities":{},"charges_enabled":true,"controller":{"type":"account"},
            "country":"DE","created":1500000000,"default_currency":"eur","details_submitted":true,"email":null,
            "external_accounts":{"object":"list","data":[],"has_more":false,
            "url":"/v1/accounts/{{{options.AccountId}}}/external_accounts"},"metadata":{},"payouts_enabled":true,
            "settings":{"dashboard":{"display_name":"Simulated account","timezone":"Etc/UTC"}},"type":"standard"}
            """);
    }

    public static byte[] Balance(JsonObject given, StripeSimulatorOptions options)
    {
        _ = (given, options);
        return """
            {"object":"balance","available":[{"amount":0,"currency":"eur","source_types":{"card":0}}],
            "livemode":false,"pending":[{"amount":0,"currency":"eur","source_types":{"card":0}}]}
            """u8.ToArray();
    }
}
