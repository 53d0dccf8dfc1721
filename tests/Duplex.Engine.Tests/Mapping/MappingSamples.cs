using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;
using Duplex.Engine.Tests.Config;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Mapping;

/// <summary>Mappings and schemas that several tests begin with.</summary>
internal static class MappingSamples
{
    public static readonly StreamSchema Customers = new("public.customers", ["id"],
    [
        new("id", FieldKind.Integer, Nullable: false),
        new("name", FieldKind.Text),
        new("email", FieldKind.Text, Nullable: false),
        new("plan", FieldKind.Text, Values: ["free", "pro"]),
        new("balance", FieldKind.Number),
        new("currency", FieldKind.Text),
        new("visits", FieldKind.Integer),
        new("active", FieldKind.Boolean),
        new("born", FieldKind.Date),
        new("seen_at", FieldKind.Timestamp),
        new("met_at", FieldKind.LocalTimestamp),
        new("extra", FieldKind.Any),
        new("tags", FieldKind.List),
        new("first", FieldKind.Text),
        new("last", FieldKind.Text),
        new("row_version", FieldKind.Integer, Writable: false),
    ]);

    public static readonly StreamSchema StripeCustomers = new("customers", ["id"],
    [
        new("id", FieldKind.Text, Nullable: false, Writable: false),
        new("name", FieldKind.Text, LengthMax: 20),
        new("email", FieldKind.Text),
        new("description", FieldKind.Text),
        new("balance", FieldKind.Integer),
        new("currency", FieldKind.Text),
        new("created", FieldKind.UnixSeconds, Writable: false),
        new("trial_end", FieldKind.UnixSeconds),
        new("opened_at", FieldKind.Timestamp),
        new("birthday", FieldKind.Text),
        new("metadata", FieldKind.TextMap),
        new("address", FieldKind.Object, Fields: [new("city", FieldKind.Text), new("country", FieldKind.Text)]),
        new("lang", FieldKind.Text, Values: ["en", "de"]),
        new("fixed", FieldKind.Text, CreateOnly: true),
    ]);

    /// <summary>The model of a sync from the rules' YAML.</summary>
    public static SyncModel Sync(string rules, string more = "")
    {
        var result = ConfigSamples.Load(ConfigSamples.WithSync($"mapping:\n{rules}\n{more}"));
        return result.Model is { } model ? model.Syncs["acme/customers"]
            : throw new InvalidOperationException(string.Join("\n", result.Findings));
    }

    /// <summary>A compiled mapping.</summary>
    public static CompiledMapping Compile(string rules, string more = "") =>
        MappingCompiler.Compile(Sync(rules, more), Customers, StripeCustomers);

    /// <summary>The only rule of a mapping that has no errors.</summary>
    public static CompiledRule Rule(string rule)
    {
        var mapping = Compile($"  - {rule}");
        mapping.Findings.Where(static f => f.Severity == FindingSeverity.Error).ShouldBeEmpty();
        return mapping.Rules.ShouldHaveSingleItem();
    }

    /// <summary>What the other side's record gets from a record; the problem instead where there is one.</summary>
    public static string Carry(CompiledRule rule, Side from, string record)
    {
        var value = rule.Read(from, JsonElement.Parse(record), []);
        if (!rule.TryMap(from, value, out var mapped, out var problem))
        {
            return $"! {problem}";
        }

        var builder = new RecordBuilder();
        rule.Write(from.Other(), mapped, builder);
        return builder.Build().ToString();
    }
}
