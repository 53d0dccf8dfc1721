using System.Text.Json;
using Duplex.Conformance;
using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Registry;
using Duplex.Engine.State;

namespace Duplex.Feeds.Tests;

/// <summary>Customers, mappings and schemas that are set while the engine runs.</summary>
public sealed class RegistryTests
{
    private const string First = "rules: [ { a: id, b: id }, { b: form, via: { constant: first } } ]";
    private const string Second = "rules: [ { a: id, b: id }, { b: form, via: { constant: second } } ]";

    private static readonly DocumentNote Now = new("tests", Activate: true);
    private static readonly DocumentNote Later = new("tests", Activate: false);

    [Fact]
    public async Task A_customer_that_is_made_at_run_time_misses_nothing_while_it_waits_for_its_mapping()
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "before"));
        var made = await Registry(bed).PutAsync("c", "tables: [ users ]", null, default);
        made.Tables.ShouldHaveSingleItem().HasMapping.ShouldBeFalse();
        await bed.PostAsync("users", (2, "waits"));
        (await bed.ReadAsync("c")).ShouldBeEmpty();
        (await Registry(bed).Mappings.PutMappingAsync("c", "users", First, Later, default)).ShouldSatisfyAllConditions(
            static p => p.Version.ShouldBe(1), static p => p.Active.ShouldBeFalse());
        (await bed.ReadAsync("c")).ShouldBeEmpty("a version that is not active changes nothing");
        (await Registry(bed).Mappings.ActivateMappingAsync("c", "users", 1, default)).Effective.Count.ShouldBe(3);
        await bed.UntilAsync("c", 1);
        await bed.PostAsync("users", (3, "after"));
        await bed.UntilAsync("c", 2);
        (await bed.ReadAsync("c")).ShouldBe(["""1 users {"id":2,"form":"first"}""", """2 users {"id":3,"form":"first"}"""]);
    }

    [Fact]
    public async Task What_was_set_survives_a_restart_and_overrides_the_file()
    {
        await using var bed = new FeedBed();
        bed.Customer("file", tables: ("users", First));
        await bed.StartAsync();
        (await Registry(bed).GetAsync("file", default)).Origin.ShouldBe(Origin.File);
        await Registry(bed).Mappings.PutMappingAsync("file", "users", Second, Now, default);
        await Registry(bed).PutAsync("made", "tables: [ users ]\nstart: earliest", null, default);
        await Registry(bed).Mappings.PutMappingAsync("made", "users", First, Now, default);
        await Registry(bed).Mappings.PutMappingAsync("made", "users", Second, Later, default);
        await bed.StopAsync();
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "x"));
        await bed.UntilAsync("file", 1);
        await bed.UntilAsync("made", 1);
        (await bed.ReadAsync("file")).ShouldBe(["""1 users {"id":1,"form":"second"}"""]);
        (await bed.ReadAsync("made")).ShouldBe(["""1 users {"id":1,"form":"first"}"""]);
        (await Registry(bed).GetAsync("made", default)).Origin.ShouldBe(Origin.Api);
        var versions = await Registry(bed).Mappings.MappingsAsync("file", "users", default);
        versions.Select(static v => (v.Version, v.Origin, v.Active))
            .ShouldBe([(0, Origin.File, false), (1, Origin.Api, true)]);
        (await Registry(bed).Mappings.MappingsAsync("made", "users", default)).Select(static v => (v.Version, v.Active))
            .ShouldBe([(1, true), (2, false)]);
        await Registry(bed).Mappings.ActivateMappingAsync("file", "users", 0, default);
        await bed.PostAsync("users", (2, "x"));
        await bed.UntilAsync("file", 2);
        (await bed.ReadAsync("file"))[1].ShouldBe("""2 users {"id":2,"form":"first"}""");
    }

    [Fact]
    public async Task Activations_under_load_lose_and_double_nothing_and_every_record_has_the_form_of_its_place()
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        await Registry(bed).PutAsync("c", "tables: [ users ]\nstart: earliest", null, default);
        var bounds = new List<IReadOnlyList<EffectivePosition>>();
        const int rounds = 12;
        const int perRound = 400;
        for (var round = 0; round < rounds; round++)
        {
            var post = bed.PostAsync("users", [.. Enumerable.Range(round * perRound, perRound).Select(static i => (i, "n"))]);
            bounds.Add((await Registry(bed).Mappings.PutMappingAsync("c", "users", Numbered(round), Now, default)).Effective);
            await post;
            if (round == rounds / 2)
            {
                await bed.StopAsync();
                await bed.StartAsync();
            }
        }

        await bed.UntilAsync("c", rounds * perRound);
        await ShouldHoldAsync(bed, bounds, rounds * perRound);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_appended_but_not_recorded_keeps_its_form_over_an_activation(bool restart)
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        // What a crash between append and record leaves: the feed is ahead of the position.
        await Registry(bed).PutAsync("d", "tables: [ users ]\nstart: earliest", null, default);
        await Eventually.BecomesAsync(() => bed.StatusAsync("d").GetAwaiter().GetResult().State == RunState.Running);
        await bed.PostAsync("users", [.. Enumerable.Range(0, 30).Select(static i => (i, "n"))]);
        var partitions = (await bed.Engine.Parts.Log.DescribeAsync(default)).Where(static p => p.Topic == "users").ToList();
        var epoch = await bed.Feeds.AcquireAsync(new FeedSpec("d", TimeSpan.FromDays(7), 8L << 30), default);
        var ahead = partitions.First(static p => p.NextOffset - p.FirstOffset > 3);
        await bed.Feeds.AppendAsync("d", epoch, $"users/{ahead.Partition}", [new FeedItem(
            ahead.FirstOffset + 2, "users", "[\"x\"]"u8.ToArray(), Sdk.ChangeOperation.Update, null, null, 1, "{}"u8.ToArray())], default);
        await Registry(bed).Mappings.PutMappingAsync("d", "users", First, Now, default);
        var effective = (await Registry(bed).Mappings.PutMappingAsync("d", "users", Second, Now, default)).Effective;
        effective.First(e => e.Partition == ahead.Partition).Offset.ShouldBeGreaterThanOrEqualTo(ahead.FirstOffset + 3);
        if (restart)
        {
            await bed.StopAsync();
            await bed.StartAsync();
        }

        const int alreadyThere = 3;
        await bed.UntilAsync("d", 30 - alreadyThere + 1);
        foreach (var record in (await bed.Feeds.ReadAsync("d", 0, 100, null, default)).Skip(1))
        {
            Form(record).ShouldBe(IsFrom(record, effective) ? "second" : "first");
        }
    }

    [Fact]
    public async Task A_record_before_the_effective_position_is_made_with_the_earlier_form_after_a_restart()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", First));
        await bed.StartAsync();
        await bed.Engine.Customers.PauseAsync("c", default);
        await bed.PostAsync("users", [.. Enumerable.Range(0, 30).Select(static i => (i, "n"))]);
        // The feed is told to be ahead: what comes before is the earlier form's.
        var partition = (await bed.Engine.Parts.Log.DescribeAsync(default)).First(static p => p.Topic == "users" && p.NextOffset > 4);
        var forms = new EffectivePosition("users", partition.Partition, 4);
        await Registry(bed).Mappings.PutMappingAsync("c", "users", Second, Now, default);
        await bed.StopAsync();
        await bed.EditValueAsync("form/c/users", text => text.Replace(
            $"\"partition\":{forms.Partition},\"offset\":0", $"\"partition\":{forms.Partition},\"offset\":4", StringComparison.Ordinal));
        await bed.StartAsync();
        await bed.Engine.Customers.ResumeAsync("c", default);
        await bed.UntilAsync("c", 30);
        var records = await bed.Feeds.ReadAsync("c", 0, 100, null, default);
        records.Count(static r => Form(r) == "first").ShouldBe(4);
        records.ShouldAllBe(r => Form(r) == (r.Source == $"users/{forms.Partition}" && r.SourceOffset < 4 ? "first" : "second"));
    }

    [Fact]
    public async Task A_customer_begins_at_the_offsets_that_it_is_given()
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        await bed.PostAsync("users", [.. Enumerable.Range(0, 30).Select(static i => (i, "n"))]);
        var partitions = (await bed.Engine.Parts.Log.DescribeAsync(default)).Where(static p => p.Topic == "users").ToList();
        var at = partitions[0];
        await Registry(bed).PutAsync("c", $$"""
            {"tables":["users"],"start":{"offsets":[{"table":"users","partition":{{at.Partition}},"offset":{{at.NextOffset - 2}} } ] } }
            """, null, default);
        await Registry(bed).Mappings.PutMappingAsync("c", "users", First, Now, default);
        await bed.UntilAsync("c", 2);
        (await bed.StatusAsync("c")).LastOffset.ShouldBe(2);
        var refused = await Should.ThrowAsync<RegistryException>(() => Registry(bed).PutAsync("e", $$"""
            {"tables":["users"],"start":{"offsets":[{"table":"users","partition":{{at.Partition}},"offset":{{at.NextOffset + 1}} } ] } }
            """, null, default));
        refused.Findings.ShouldHaveSingleItem().Code.ShouldBe("customer.bad_offset");
        bed.Engine.Customers.Find("e").ShouldBeNull();
    }

    [Fact]
    public async Task A_customer_that_is_deleted_and_made_again_begins_anew()
    {
        await using var bed = new FeedBed();
        bed.Customer("c", tables: ("users", First));
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "a"));
        await bed.UntilAsync("c", 1);
        await Registry(bed).Mappings.PutMappingAsync("c", "users", Second, Later, default);
        await Registry(bed).DeleteAsync("c", default);
        await bed.StopAsync();
        await bed.StartAsync();
        bed.Engine.Customers.Find("c").ShouldBeNull("the mark is over the file's");
        (await Should.ThrowAsync<RegistryException>(() => Registry(bed).GetAsync("c", default))).Fault.ShouldBe(RegistryFault.Unknown);
        await Registry(bed).PutAsync("c", "tables: [ users ]\nstart: earliest", null, default);
        await bed.UntilAsync("c", 2);
        (await bed.ReadAsync("c")).ShouldBe(["""1 users {"id":1,"form":"first"}""", """2 users {"id":1,"form":"first"}"""]);
        (await Registry(bed).Mappings.MappingsAsync("c", "users", default)).Select(static v => v.Version).ShouldBe([0]);
    }

    [Fact]
    public async Task A_table_that_is_added_begins_where_it_is_told_and_one_that_is_removed_ends()
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        await Registry(bed).PutAsync("c", "tables: [ users, orders ]", null, default);
        await Registry(bed).Mappings.PutMappingAsync("c", "users", First, Now, default);
        await Registry(bed).Mappings.PutMappingAsync("c", "orders", First, Now, default);
        await bed.PostAsync("users", (1, "a"));
        await bed.PostAsync("orders", (2, "a"));
        await bed.UntilAsync("c", 2);
        await Registry(bed).PutAsync("c", "tables: [ orders ]", null, default);
        await bed.PostAsync("users", (3, "unseen"));
        await bed.PostAsync("orders", (4, "a"));
        await bed.UntilAsync("c", 3);
        await Registry(bed).PutAsync("c", "tables: [ users, orders ]", null, default);
        await bed.PostAsync("users", (5, "a"));
        await bed.UntilAsync("c", 4);
        (await bed.ReadAsync("c")).Skip(2).ShouldBe(["""3 orders {"id":4,"form":"first"}""", """4 users {"id":5,"form":"first"}"""]);
    }

    [Fact]
    public async Task A_wrong_document_gives_every_finding_and_leaves_nothing_behind()
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        var customer = await Should.ThrowAsync<RegistryException>(() => Registry(bed).PutAsync("c",
            "tables: users\nstart: whenever\ncolour: red\nretention: { age: never }", null, default));
        customer.Findings.Count.ShouldBeGreaterThanOrEqualTo(4);
        await Registry(bed).PutAsync("c", "tables: [ users ]", null, default);
        var before = await bed.Engine.Parts.Store.ListValuesAsync("", default);
        var mapping = await Should.ThrowAsync<RegistryException>(() => Registry(bed).Mappings.PutMappingAsync("c", "users",
            "rules: [ { a: id, b: id, via: nothing_known }, { b: x, via: { constant: 1 }, extra: 2 } ]\nwhen: \"status ==\"", Now, default));
        mapping.Findings.Count.ShouldBeGreaterThanOrEqualTo(3);
        (await Should.ThrowAsync<RegistryException>(() => Registry(bed).Schemas.PutSchemaAsync("c", "users",
            """{"type":"objekt"}""", new SchemaNote("tests", true), default))).Findings.ShouldNotBeEmpty();
        (await Should.ThrowAsync<RegistryException>(() => Registry(bed).Mappings.PutMappingAsync("c", "orders", First, Now, default)))
            .Code.ShouldBe("request.unknown_table");
        (await Should.ThrowAsync<RegistryException>(() => Registry(bed).Mappings.ActivateMappingAsync("c", "users", 7, default)))
            .Code.ShouldBe("request.unknown_version");
        (await bed.Engine.Parts.Store.ListValuesAsync("", default)).ShouldBe(before);
    }

    [Fact]
    public async Task A_schema_that_is_put_holds_from_its_position_on_and_its_successor_must_accept_what_it_accepts()
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        await Registry(bed).PutAsync("c", "tables: [ users ]", null, default);
        const string open = """{"type":"object","properties":{"id":{"type":"integer"},"form":{"type":"string"}}}""";
        const string strict = """{"type":"object","properties":{"id":{"type":"integer","maximum":10},"form":{"type":"string"}}}""";
        var note = new SchemaNote("tests", Backward: true);
        (await Registry(bed).Schemas.PutSchemaAsync("c", "users", open, note, default)).Version.ShouldBe(1);
        await Registry(bed).Mappings.PutMappingAsync("c", "users", First, Now, default);
        await bed.PostAsync("users", (100, "a"));
        await bed.UntilAsync("c", 1);
        var refused = await Should.ThrowAsync<RegistryException>(() => Registry(bed).Schemas.PutSchemaAsync("c", "users", strict, note, default));
        (refused.Fault, refused.Code).ShouldBe((RegistryFault.Conflict, "schema.incompatible"));
        refused.Findings.ShouldHaveSingleItem().Path.ShouldBe("/properties/id/maximum");
        (await Registry(bed).Schemas.PutSchemaAsync("c", "users", strict, note with { Backward = false }, default)).Version.ShouldBe(2);
        await bed.StopAsync();
        await bed.StartAsync();
        await bed.PostAsync("users", (101, "a"), (5, "a"));
        await bed.UntilAsync("c", 2);
        await Eventually.BecomesAsync(() => bed.StatusAsync("c").GetAwaiter().GetResult().DeadLetters == 1);
        (await bed.ReadAsync("c"))[1].ShouldBe("""2 users {"id":5,"form":"first"}""");
        (await Registry(bed).Schemas.SchemasAsync("c", "users", default)).Select(static v => (v.Version, v.Active))
            .ShouldBe([(1, false), (2, true)]);
    }

    [Fact]
    public async Task A_plan_counts_differences_and_changes_nothing()
    {
        await using var bed = new FeedBed();
        await bed.StartAsync();
        await Registry(bed).PutAsync("c", "tables: [ users ]\nstart: earliest", null, default);
        await Registry(bed).Mappings.PutMappingAsync("c", "users", "rules: [ { a: id, b: id }, { a: name, b: name } ]\nwhen: id != 3", Now, default);
        await Registry(bed).Mappings.PutMappingAsync("c", "users",
            "rules: [ { a: id, b: id }, "
            + "{ a: name, b: name, via: { enum: { old: new, same: same } } }, { b: at, a: $event.now } ]\nwhen: id != 4", Later, default);
        await Registry(bed).Mappings.PutMappingAsync("c", "users",
            "rules: [ { a: id, b: id }, { a: name, b: name, via: { enum: { old: new, same: same } } } ]\nwhen: id != 4", Later, default);
        await bed.PostAsync("users", (1, "same"), (2, "old"), (3, "same"), (4, "same"), (5, "other"));
        await bed.UntilAsync("c", 4);
        var before = await bed.Engine.Parts.Store.ListValuesAsync("", default);
        var plan = await Registry(bed).Trials.PlanAsync("c", "users", 3, 1000, default);
        (plan.Changes, plan.Same, plan.Changed, plan.NowFailing, plan.NowLeftOut, plan.NowCarried, plan.NowPassing)
            .ShouldBe((5, 1, 1, 1, 1, 1, 0));
        plan.Samples.Select(static s => s.Kind).Order(StringComparer.Ordinal)
            .ShouldBe(["changed", "now_carried", "now_failing", "now_left_out"]);
        (await Registry(bed).Trials.PlanAsync("c", "users", 1, 1000, default)).Same.ShouldBe(5);
        (await Registry(bed).Trials.PlanAsync("c", "users", 2, 2, default)).Changes.ShouldBeInRange(2, 5);
        (await bed.Engine.Parts.Store.ListValuesAsync("", default)).ShouldBe(before);
        (await bed.StatusAsync("c")).LastOffset.ShouldBe(4);
    }

    private static CustomerRegistry Registry(FeedBed bed) => bed.Engine.Registry;

    private static string Numbered(int round) =>
        $"rules: [ {{ a: id, b: id }}, {{ b: form, via: {{ constant: round-{round:D2} }} }} ]";

    private static string Form(FeedRecord record) => JsonElement.Parse(record.Data.Span).GetProperty("form").GetString()!;

    private static bool IsFrom(FeedRecord record, IReadOnlyList<EffectivePosition> effective) =>
        effective.Any(e => $"{e.Topic}/{e.Partition}" == record.Source && record.SourceOffset >= e.Offset);

    private static async Task ShouldHoldAsync(
        FeedBed bed, IReadOnlyList<IReadOnlyList<EffectivePosition>> bounds, int count)
    {
        var feed = await bed.Feeds.ReadAsync("c", 0, count + 10, null, default);
        feed.Select(static r => r.Offset).ShouldBe(Enumerable.Range(1, count).Select(static i => (long)i));
        feed.Select(static r => (r.Source, r.SourceOffset)).Distinct().Count().ShouldBe(count);
        foreach (var record in feed)
        {
            var round = bounds.Select(static (b, i) => (Bounds: b, Round: i)).Last(b => b.Round == 0 || IsFrom(record, b.Bounds)).Round;
            Form(record).ShouldBe($"round-{round:D2}", $"{record.Source} {record.SourceOffset}");
        }
    }
}
