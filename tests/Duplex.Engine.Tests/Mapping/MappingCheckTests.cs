using Duplex.Engine.Config;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;
using Duplex.Engine.Tests.Config;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Mapping;

public sealed class MappingCheckTests
{
    [Theory]
    [InlineData("{ a: nmae, b: name }", "mapping.unknown_field", "Did you mean name?")]
    [InlineData("{ a: name, b: adress.city }", "mapping.unknown_field", null)]
    [InlineData("{ a: name, b: address.ctiy }", "mapping.unknown_field", "Did you mean city?")]
    [InlineData("{ a: name, b: name.first }", "mapping.unknown_field", null)]
    [InlineData("{ a: name, b: metadata.a.b }", "mapping.unknown_field", null)]
    [InlineData("{ a: seen_at, b: created, via: unix_seconds }", "mapping.read_only",
        "Give the rule direction: b_to_a.")]
    [InlineData("{ a: row_version, b: metadata.v }", "mapping.read_only", "Give the rule direction: a_to_b.")]
    [InlineData("{ a: seen_at, b: trial_end }", "mapping.type_mismatch", "Add via: unix_seconds.")]
    [InlineData("{ a: visits, b: opened_at }", "mapping.type_mismatch", null)]
    [InlineData("{ a: born, b: opened_at }", "mapping.type_mismatch", null)]
    [InlineData("{ a: tags, b: name }", "mapping.type_mismatch", null)]
    [InlineData("{ a: active, b: name, via: unix_seconds }", "mapping.bad_argument", null)]
    [InlineData("{ a: tags, b: name, via: lowercase }", "mapping.type_mismatch", null)]
    [InlineData("{ a: name, b: lang, via: { enum: { Ann: en, Bob: xx } } }", "mapping.table_refused", null)]
    [InlineData("{ a: id, b: metadata.id }", "mapping.key", null)]
    [InlineData("{ a: name, b: fixed }", "mapping.create_only", null)]
    [InlineData("{ a: email, b: name }", "mapping.null", null)]
    [InlineData("{ a: plan, b: metadata.plan, via: { enum: { free: F } } }", "mapping.table_incomplete", null)]
    [InlineData("{ a: seen_at, b: opened_at, via: { date: UTC } }", "mapping.type_mismatch", null)]
    [InlineData("{ a: seen_at, b: metadata.day, via: { date: UTC } }", "mapping.lossy", null)]
    [InlineData("{ a: visits, b: metadata.visits }", "mapping.converted", null)]
    [InlineData("{ a: met_at, b: trial_end, via: unix_seconds }", "mapping.assumption", null)]
    [InlineData("{ a: extra, b: metadata }", "mapping.lossy", null)]
    [InlineData("{ a: balance, b: balance, via: { minor_units: { digits: 2, round: down } } }", "mapping.lossy", null)]
    public void A_rule_that_the_schemas_do_not_bear_is_found_and_named(string rule, string code, string? suggestion)
    {
        var mapping = MappingSamples.Compile($"  - {{ a: last, b: description }}\n  - {rule}");

        var finding = mapping.Findings.First(f => f.Code == code);
        finding.Path.ShouldBe("/syncs/customers/mapping/1");
        finding.Message.ShouldStartWith("Rule ");
        if (suggestion is not null)
        {
            finding.Suggestion.ShouldBe(suggestion);
        }
    }

    [Theory]
    [InlineData("{ a: plan, b: name, via: { enum: { free: X, pro: X } } }", "mapping.not_invertible")]
    [InlineData("{ a: plan, b: name, via: { enum: { free: F, '*': X } } }", "mapping.not_invertible")]
    [InlineData("{ b: name, via: { constant: x }, direction: b_to_a }", "mapping.not_invertible")]
    [InlineData("{ a: plan, b: name, via: [ { enum: { free: Free, pro: Pro } }, lowercase ] }", "mapping.round_trip")]
    [InlineData("{ a: plan, b: name, via: [ lowercase, { enum: { Free: F } } ] }", "mapping.round_trip")]
    [InlineData("{ a: plan, b: name, via: [ { prefix: ' x' }, trim ] }", "mapping.round_trip")]
    [InlineData("{ a: plan, b: name, via: enum }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { enum: {} } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { enum: { a: [b] } } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { trim: 5 } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { prefix: '' } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: default }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { default: { c: 1 } } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { minor_units: 99 } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { minor_units: { digits: 2, round: up } } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { unix_seconds: { zone: Europe/Berln } } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { unix_seconds: ../../etc/passwd } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { time_format: zzz } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { time_format: HH } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { boolean: { 'true': x } } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: { constant: 5 } }", "mapping.bad_argument")]
    [InlineData("{ a: plan, b: name, via: trimm }", "mapping.unknown_lens")]
    [InlineData("{ a: [first, last], b: name }", "mapping.path_count")]
    [InlineData("{ a: name, b: [name, email], via: trim }", "mapping.path_count")]
    [InlineData("{ a: plan }", "mapping.one_sided")]
    [InlineData("{ b: name, via: trim }", "mapping.one_sided")]
    public void A_rule_that_cannot_run_is_found_without_the_schemas(string rule, string code)
    {
        var result = ConfigSamples.Load(ConfigSamples.WithSync($"mapping:\n  - {rule}"));

        var finding = ConfigSamples.Only(result, code);
        finding.Severity.ShouldBe(FindingSeverity.Error);
        finding.Location.ShouldBe("duplex.yaml:9:9");
        finding.Suggestion.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("direction: a_to_b", "{ a: plan, b: name, via: { enum: { free: X, pro: X } } }")]
    [InlineData("", "{ a: plan, b: name, via: { enum: { free: X, pro: X } }, direction: a_to_b }")]
    [InlineData("direction: a_to_b", "{ a: row_version, b: metadata.v }")]
    [InlineData("direction: b_to_a", "{ a: seen_at, b: created, via: unix_seconds }")]
    [InlineData("", "{ a: seen_at, b: created, via: unix_seconds, direction: b_to_a }")]
    public void What_is_wrong_in_one_direction_is_right_where_only_the_other_runs(string sync, string rule) =>
        MappingSamples.Compile($"  - {rule}", sync).Findings.Where(static f => f.Severity == FindingSeverity.Error)
            .ShouldBeEmpty();

    [Fact]
    public void A_rule_against_the_direction_of_the_sync_never_runs_and_is_found() => MappingSamples
        .Compile("  - { a: name, b: name }\n  - { a: last, b: description, direction: b_to_a }", "direction: a_to_b")
        .Findings.ShouldHaveSingleItem().Code.ShouldBe("mapping.never_runs");

    [Theory]
    [InlineData("{ a: name, b: name }", "{ a: last, b: name }", true)]
    [InlineData("{ a: name, b: name }", "{ a: name, b: description }", true)]
    [InlineData("{ a: name, b: metadata.x }", "{ a: extra, b: metadata, direction: a_to_b }", true)]
    [InlineData("{ a: name, b: name }", "{ a: name, b: description, direction: a_to_b }", false)]
    [InlineData("{ a: name, b: metadata.x }", "{ a: last, b: metadata.xy }", false)]
    public void Two_rules_that_write_one_place_are_found(string first, string second, bool found)
    {
        var result = ConfigSamples.Load(ConfigSamples.WithSync($"mapping:\n  - {first}\n  - {second}"));

        result.Findings.Any(static f => f.Code == "mapping.written_twice" && f.Path == "/syncs/customers/mapping/1")
            .ShouldBe(found);
    }

    [Fact]
    public void A_field_that_a_create_needs_must_be_written_by_a_rule()
    {
        var needy = MappingSamples.StripeCustomers with
        {
            Fields = [.. MappingSamples.StripeCustomers.Fields, new("unit", FieldKind.Text, Required: true)],
        };
        var without = MappingSamples.Sync("  - { a: name, b: name }");
        var with = MappingSamples.Sync("  - { a: name, b: name }\n  - { b: unit, via: { constant: piece } }");
        var onlyBack = MappingSamples.Sync("  - { a: name, b: name }", "direction: b_to_a");

        MappingCompiler.Compile(without, MappingSamples.Customers, needy).Findings
            .ShouldHaveSingleItem().Code.ShouldBe("mapping.required_unmapped");
        MappingCompiler.Compile(with, MappingSamples.Customers, needy).Findings.ShouldBeEmpty();
        MappingCompiler.Compile(onlyBack, MappingSamples.Customers, needy).Findings.ShouldBeEmpty();
    }

    [Fact]
    public void A_key_that_nobody_gives_is_not_told_to_be_a_constant()
    {
        var keyed = MappingSamples.StripeCustomers with
        {
            Key = ["number"],
            Fields = [.. MappingSamples.StripeCustomers.Fields, new("number", FieldKind.Text, Required: true)],
        };

        var finding = MappingCompiler.Compile(
            MappingSamples.Sync("  - { a: name, b: name }"), MappingSamples.Customers, keyed).Findings.ShouldHaveSingleItem();

        finding.Code.ShouldBe("mapping.required_unmapped");
        finding.Suggestion!.ShouldNotContain("constant");
        finding.Suggestion!.ShouldContain("direction: b_to_a");
    }

    [Fact]
    public void An_open_schema_takes_fields_that_it_does_not_list()
    {
        var sync = MappingSamples.Sync("  - { a: name, b: whatever.deep }");

        var mapping = MappingCompiler.Compile(sync, MappingSamples.Customers,
            MappingSamples.StripeCustomers with { Open = true });

        mapping.Findings.ShouldHaveSingleItem().Severity.ShouldBe(FindingSeverity.Warning);
        mapping.Rules.ShouldHaveSingleItem().ShadowName(Side.B).ShouldBe("whatever.deep");
    }

    [Fact]
    public void The_sample_compiles_against_its_schemas_without_errors()
    {
        var model = ConfigSamples.Load(ConfigSamples.Customers).Model.ShouldNotBeNull();
        var stripe = MappingSamples.StripeCustomers with
        {
            Fields = [.. MappingSamples.StripeCustomers.Fields, new("phone", FieldKind.Text)],
        };
        var shop = MappingSamples.Customers with
        {
            Fields = [.. MappingSamples.Customers.Fields, new("phone", FieldKind.Text), new("city", FieldKind.Text)],
        };

        var mapping = MappingCompiler.Compile(model.Syncs["acme/customers"], shop, stripe);

        mapping.Findings.Where(static f => f.Severity == FindingSeverity.Error).ShouldBeEmpty();
        mapping.Rules.Count.ShouldBe(7);
        mapping.Rules.Select(static r => r.Name)
            .ShouldBe(["name", "email", "phone", "plan", "city", "id", "metadata.source"]);
    }
}
