using System.Net;
using Duplex.Engine.Config;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Config;

public sealed class ConfigLoaderTests
{
    [Fact]
    public void The_sample_of_customers_loads_with_every_value_in_its_place()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers);

        result.Findings.ShouldBeEmpty();
        var model = result.Model.ShouldNotBeNull();
        model.DataDirectory.ShouldBe("/srv/duplex/data");
        model.Retention.LogBytes.ShouldBe(8L << 30);
        var sync = model.Syncs["acme/customers"];
        sync.A.Stream.ShouldBe("public.customers");
        sync.B.OnDelete.ShouldBe(DeletePolicy.Manual);
        sync.A.When!.Text.ShouldBe("status != 'draft'");
        sync.DeleteBrake.ShouldBe(50);
        sync.ConflictSkew.ShouldBe(TimeSpan.FromSeconds(2));
        sync.ConflictByField["email"].ShouldBe(ConflictPolicy.A);
        sync.Mapping.Count.ShouldBe(7);
        sync.Mapping[1].Via.Select(static l => l.Name).ShouldBe(["trim", "lowercase"]);
        sync.Mapping[5].OneWay.ShouldBe(Side.A);
        sync.Mapping[6].A.ShouldBeEmpty();
        sync.Match.ShouldHaveSingleItem().B.Text.ShouldBe("email");
        var shop = SpecConnector.All.First().Spec.Settings;
        model.Connections["shop"].Settings.Get((Setting<int>)shop[1]).ShouldBe(5433);
        model.Connections["shop"].Settings.Get((Setting<string>)shop[4]).ShouldBe("hunter2-canary");
        var server = result.Server.ShouldNotBeNull();
        server.DataPlane.ShouldBe(new IPEndPoint(IPAddress.Loopback, 3000));
        server.ApiKeys.ShouldHaveSingleItem().Matches("0123456789abcdef").ShouldBeTrue();
        server.ApiKeys[0].Matches("0123456789abcdeF").ShouldBeFalse();
    }

    [Fact]
    public void Every_error_is_reported_at_once_with_its_line_and_its_path()
    {
        var result = ConfigSamples.Load("""
            dtaa: ./data
            connections:
              shop: { connector: postgrse, database: shop }
              billing: { connector: stripe, api_kye: x }
              files: { connector: postgres, database: x, port: 99999, mode: wall }
            syncs:
              customers:
                a: { connection: shpo, stream: public.customers }
                b: { connection: billing, stream: customers }
                direktion: two_way
                mapping:
                  - { a: name, b: name, vai: trim }
                  - { a: email, b: email, via: lowecase }
                deletes: { a: remove }
                when: { a: "status == 1" }
            """);

        result.Model.ShouldBeNull();
        result.Server.ShouldBeNull();
        var found = result.Findings.Select(static f => $"{f.Location} {f.Path} {f.Code}").ToList();
        found.ShouldContain("duplex.yaml:1:1 /dtaa config.unknown_member");
        found.ShouldContain("duplex.yaml:3:22 /connections/shop/connector config.unknown_connector");
        found.ShouldContain("duplex.yaml:4:33 /connections/billing/api_kye config.unknown_member");
        found.ShouldContain("duplex.yaml:5:46 /connections/files/port config.bad_value");
        found.ShouldContain("duplex.yaml:5:59 /connections/files/mode config.bad_value");
        found.ShouldContain("duplex.yaml:8:22 /syncs/customers/a/connection config.unknown_connection");
        found.ShouldContain("duplex.yaml:10:5 /syncs/customers/direktion config.unknown_member");
        found.ShouldContain("duplex.yaml:12:29 /syncs/customers/mapping/0/vai config.unknown_member");
        found.ShouldContain("duplex.yaml:14:19 /syncs/customers/deletes/a config.bad_value");
        found.ShouldContain("duplex.yaml:15:16 /syncs/customers/when/a config.predicate");
        result.Findings.ShouldAllBe(static f => f.Suggestion != null);
        result.Findings.ShouldContain(static f => f.Suggestion == "Did you mean postgres?");
        result.Findings.ShouldContain(static f => f.Suggestion == "Did you mean api_key?");
        result.Findings.ShouldContain(static f => f.Suggestion == "Did you mean shop?");
        result.Findings.ShouldContain(static f => f.Suggestion == "Did you mean data?");
    }

    [Fact]
    public void A_wrong_lens_is_reported_at_its_rule_with_the_one_that_was_meant()
    {
        var result = ConfigSamples.Load(ConfigSamples.WithSync("""
            mapping:
              - { a: name, b: name }
              - { a: email, b: email, via: lowecase }
            """));

        var finding = ConfigSamples.Only(result, "mapping.unknown_lens");
        finding.Path.ShouldBe("/syncs/customers/mapping/1");
        finding.Location.ShouldBe("duplex.yaml:10:9");
        finding.Suggestion.ShouldBe("Did you mean lowercase?");
    }

    [Theory]
    [InlineData("match: [ email ]", "mapping.match_unmapped")]
    [InlineData("conflict: { fields: { emial: a } }", "mapping.unknown_field")]
    [InlineData("conflict: sometimes", "config.bad_value")]
    [InlineData("deletes: { brake: -1 }", "config.bad_value")]
    [InlineData("when: status", "config.bad_value")]
    [InlineData("match: email", "config.bad_value")]
    public void What_does_not_fit_the_rules_is_an_error(string member, string code)
    {
        var result = ConfigSamples.Load(ConfigSamples.WithSync($"mapping: [ {{ a: name, b: name }} ]\n{member}"));

        result.Model.ShouldBeNull();
        result.Findings.ShouldContain(f => f.Code == code && f.Location != null);
    }

    [Fact]
    public void A_sync_between_two_tenants_is_refused()
    {
        var result = ConfigSamples.Load(ConfigSamples.WithSync("mapping: [ { a: name, b: name } ]")
            .Replace("connector: stripe, tenant: acme", "connector: stripe, tenant: other"));

        result.Findings.ShouldContain(static f => f.Code == "config.tenants");
        result.Model.ShouldBeNull();
    }

    [Fact]
    public void A_secret_of_another_tenant_is_refused_and_not_told()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers.Replace("${secret:stripe}", "${secret:other/key}"));

        ConfigSamples.Only(result, "config.reference").Path.ShouldBe("/connections/billing/api_key");
        result.Findings.ShouldAllBe(static f => !$"{f}".Contains("canary"));
    }

    [Fact]
    public void A_missing_variable_is_named_once_and_not_as_a_missing_setting()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers, []);

        result.Findings.Select(static f => f.Code).Distinct().ShouldBe(["config.reference"]);
        result.Findings.ShouldContain(static f => f.Message.Contains("SHOP_PASSWORD")
            && f.Path == "/connections/shop/password");
    }

    [Fact]
    public void References_take_fallbacks_and_can_stand_within_a_text()
    {
        var yaml = ConfigSamples.Customers
            .Replace("host: localhost", "host: \"${HOST:-db}.${env:ZONE:-local}\"")
            .Replace("username: duplex", "username: \"$${literal}\"");

        var settings = ConfigSamples.Load(yaml).Model.ShouldNotBeNull().Connections["shop"].Settings;

        var declared = SpecConnector.All.First().Spec.Settings;
        settings.Get((Setting<string>)declared[0]).ShouldBe("db.local");
        settings.Get((Setting<string>)declared[3]).ShouldBe("${literal}");
    }

    [Fact]
    public void No_finding_holds_a_secret_whatever_is_wrong_around_it()
    {
        const string secret = "canary-4242-canary";
        string[] broken =
        [
            $"connections:\n  shop: {{ connector: postgres, database: x, port: {secret} }}\nsyncs: {{}}",
            $"connections:\n  shop: {{ connector: stripe, api_key: [ {secret}, b ] }}\nsyncs: {{}}",
            $"connections:\n  shop: {{ connector: stripe, api_key: '{secret}\nsyncs: {{}}",
            $"connections:\n  shop: {{ connector: stripe, api_key: {{ {secret}: {{ a: b }} }} }}\nsyncs: {{}}",
            $"server: {{ api_keys: [ {{ name: x, key: {secret[..9]} }} ] }}\nconnections: {{}}\nsyncs: {{}}",
            $"connections:\n  shop: {{ connector: stripe, api_key: *{secret} }}\nsyncs: {{}}",
            $"connections:\n  shop: {{ connector: stripe, api_key: \"{secret}\" x }}\nsyncs: {{}}",
        ];
        foreach (var yaml in broken)
        {
            var result = ConfigSamples.Load(yaml);
            result.Findings.ShouldNotBeEmpty();
            result.Findings.ShouldAllBe(static f => !$"{f}".Contains("canary"));
        }
    }

    [Fact]
    public void A_secret_in_the_file_is_noted_and_still_works()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers.Replace("${secret:stripe}", "sk_test_plain"));

        result.Model.ShouldNotBeNull();
        var note = ConfigSamples.Only(result, "config.plain_secret");
        note.Severity.ShouldBe(FindingSeverity.Note);
        note.ToString().ShouldNotContain("sk_test_plain");
    }

    [Theory]
    [InlineData("0.0.0.0:8000", true)]
    [InlineData("127.0.0.1:8000", false)]
    [InlineData("localhost:9000", false)]
    [InlineData("\"[::1]:8000\"", false)]
    [InlineData("8123", false)]
    public void A_control_plane_off_loopback_needs_a_key(string address, bool refused)
    {
        var yaml = ConfigSamples.WithSync("mapping: [ { a: name, b: name } ]")
            + $"\nserver: {{ control_plane: {address} }}";

        var result = ConfigSamples.Load(yaml);

        result.Findings.Any(static f => f.Code == "config.unprotected").ShouldBe(refused);
        (result.Server is null).ShouldBe(refused);
    }

    [Fact]
    public void Two_syncs_of_the_same_pair_are_refused()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers
            + "\n  again:\n    a: { connection: billing, stream: customers }\n    b: { connection: shop, stream: public.customers }"
            + "\n    mapping: [ { a: name, b: name } ]");

        result.Findings.ShouldContain(static f => f.Code == "config.duplicate_sync");
    }

    [Fact]
    public void A_two_way_sync_that_pairs_nothing_is_warned_of_and_loads()
    {
        var warned = ConfigSamples.Load(ConfigSamples.WithSync("mapping: [ { a: name, b: name } ]"));
        var oneWay = ConfigSamples.Load(ConfigSamples.WithSync("direction: a_to_b\nmapping: [ { a: name, b: name } ]"));

        warned.Model.ShouldNotBeNull();
        ConfigSamples.Only(warned, "config.no_match").Severity.ShouldBe(FindingSeverity.Warning);
        oneWay.Findings.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("../up")]
    [InlineData("canary/x")]
    public void A_tenant_that_a_reference_names_keeps_to_the_rules_and_is_not_told(string tenant)
    {
        var yaml = ConfigSamples.WithSync("mapping: [ { a: name, b: name } ]")
            .Replace("tenant: acme", "tenant: \"${env:T}\"");

        var good = ConfigSamples.Load(yaml, new() { ["T"] = "acme" });
        var bad = ConfigSamples.Load(yaml, new() { ["T"] = tenant });

        good.Model.ShouldNotBeNull().Syncs.Keys.ShouldBe(["acme/customers"]);
        bad.Model.ShouldBeNull();
        bad.Findings.ShouldContain(static f => f.Code == "config.bad_name" && f.Path == "/connections/shop/tenant");
        bad.Findings.ShouldAllBe(f => !$"{f}".Contains(tenant));
    }

    [Fact]
    public void A_rule_with_very_many_fields_is_refused()
    {
        var fields = string.Join(", ", Enumerable.Range(0, 1000).Select(static i => $"f{i}"));

        var result = ConfigSamples.Load(
            ConfigSamples.WithSync($"mapping: [ {{ a: [{fields}], b: name, via: {{ join: ' ' }} }} ]"));

        ConfigSamples.Only(result, "config.bad_value").Path.ShouldBe("/syncs/customers/mapping/0/a");
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_finding()
    {
        var result =
            ConfigLoader.LoadFile("/nowhere/duplex.yaml", new ConfigSources { Connectors = SpecConnector.All });

        result.Findings.ShouldHaveSingleItem().Code.ShouldBe("config.not_found");
    }

    [Fact]
    public void A_finding_of_a_later_check_is_located_by_its_path()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers);

        result.Locate("/syncs/customers/mapping/2").ShouldBe("duplex.yaml:32:9");
        result.Locate("/syncs/customers/nothing/there").ShouldBe(result.Locate("/syncs/customers"));
        result.Locate(null).ShouldBeNull();
    }
}
