using Duplex.Engine.Config;
using Duplex.Engine.Secrets;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Config;

/// <summary>Configurations that several tests begin with.</summary>
internal static class ConfigSamples
{
    public const string Customers = """
        data: ./data
        server:
          data_plane: 127.0.0.1:3000
          control_plane: 127.0.0.1:8000
          log_level: information
          api_keys:
            - { name: ops, key: "${env:OPS_KEY}", role: operator, tenant: acme }
        retention: { log_age: 7d, log_bytes: 8GB, timeline_age: 7d, timeline_rows: 5000000, tombstone_age: 30d }
        connections:
          shop:
            connector: postgres
            tenant: acme
            host: localhost
            port: 5433
            database: shop
            username: duplex
            password: "${env:SHOP_PASSWORD}"
          billing:
            connector: stripe
            tenant: acme
            api_key: "${secret:stripe}"
            webhook_secret: "${secret:acme/stripe-webhook}"
        syncs:
          customers:
            a: { connection: shop, stream: public.customers }
            b: { connection: billing, stream: customers }
            direction: two_way
            match: [ { a: email, b: email } ]
            mapping:
              - { a: name,  b: name, via: trim }
              - { a: email, b: email, via: [ trim, lowercase ] }
              - { a: phone, b: phone }
              - { a: plan,  b: metadata.plan, via: { enum: { free: F, pro: P } } }
              - { a: city,  b: address.city }
              - { a: id,    b: metadata.shop_id, direction: a_to_b }
              - { b: metadata.source, via: { constant: shop } }
            conflict: { default: latest, skew: 2s, fields: { email: a } }
            deletes:  { a: propagate, b: manual, brake: 50 }
            when:     { a: "status != 'draft'" }
        """;

    public static ConfigResult Load(string yaml, Dictionary<string, string>? environment = null) =>
        ConfigLoader.Load(yaml, "/srv/duplex/duplex.yaml", new ConfigSources
        {
            Connectors = SpecConnector.All,
            Environment =
                (environment ?? new() { ["OPS_KEY"] = "0123456789abcdef", ["SHOP_PASSWORD"] = "hunter2-canary" })
                .GetValueOrDefault,
            Secrets = static _ => new FixedSecrets(new()
            {
                ["stripe"] = "sk_test_canary",
                ["acme/stripe-webhook"] = "whsec_canary",
                ["other/key"] = "other_canary",
            }),
        });

    /// <summary>A sync with a mapping, both connections given.</summary>
    public static string WithSync(string sync) => $$"""
        connections:
          shop: { connector: postgres, tenant: acme, database: shop }
          billing: { connector: stripe, tenant: acme, api_key: "${secret:stripe}" }
        syncs:
          customers:
            a: { connection: shop, stream: public.customers }
            b: { connection: billing, stream: customers }
        {{string.Join('\n', sync.Split('\n').Select(static l => $"    {l}"))}}
        """;

    public static Finding Only(ConfigResult result, string code) =>
        result.Findings.Where(f => f.Code == code).ShouldHaveSingleItem();

    private sealed class FixedSecrets(Dictionary<string, string> values) : ISecretStore
    {
        public IReadOnlyList<SecretEntry> List() => [];

        public string? Get(string name) => values.GetValueOrDefault(name);

        public void Set(string name, string value) => throw new NotSupportedException();

        public bool Delete(string name) => throw new NotSupportedException();

        public void RotateKey() => throw new NotSupportedException();
    }
}
