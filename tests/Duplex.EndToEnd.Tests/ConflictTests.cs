using System.Text.Json;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.EndToEnd.Tests;

/// <summary>Fields that both sides changed, where a person decides.</summary>
public sealed class ConflictTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    [SkippableFact]
    public async Task What_waits_for_a_person_stays_on_both_sides_until_it_is_decided_and_then_goes_to_both()
    {
        await using var bed = await StartAsync("Ada");
        await CollideAsync(bed, "Ada of Postgres", "Ada of Stripe");
        var conflict = await WaitingAsync(bed);
        (conflict.Rule, conflict.ValueA, conflict.ValueB, conflict.Base)
            .ShouldBe(("name", "\"Ada of Postgres\"", "\"Ada of Stripe\"", "\"Ada\""));
        await bed.ExecuteAsync("update customers set phone = '77'");
        await bed.UntilAsync(() => Text(bed, "phone") == "77", "other fields go on");
        await bed.QuietAsync();
        (await NamesAsync(bed)).ShouldBe(("Ada of Postgres", "Ada of Stripe"));
        (await bed.Engine.StatusAsync(default)).Syncs[0].ConflictsWaiting.ShouldBe(1);

        (await bed.Engine.ResolveAsync(conflict.Id, Side.B, null, default)).ShouldBeTrue();
        await EqualAsync(bed, "Ada of Stripe");
        var decided = (await bed.Engine.Parts.Store.FindConflictAsync(conflict.Id, default)).ShouldNotBeNull();
        decided.ShouldBe(conflict with { Winner = Side.B, AtMicros = decided.AtMicros }, "the loser is kept");
        (await bed.Engine.StatusAsync(default)).Syncs[0].ConflictsWaiting.ShouldBe(0);
        (await Should.ThrowAsync<SyncException>(
            async () => await bed.Engine.ResolveAsync(conflict.Id, Side.A, null, default)))
            .Error.Code.ShouldBe(ErrorCode.ConflictManual);
        (await bed.Engine.ResolveAsync(conflict.Id + 1000, Side.A, null, default)).ShouldBeFalse();

        await bed.ExecuteAsync("update customers set name = 'Ada again'");
        await EqualAsync(bed, "Ada again");
        var writes = bed.Stripe.WriteCount;
        await bed.QuietAsync();
        bed.Stripe.WriteCount.ShouldBe(writes);
    }

    [SkippableFact]
    public async Task An_edit_that_our_write_fell_on_is_put_back_until_a_person_decides()
    {
        await using var bed = await postgres.BedAsync();
        var news = NewsGate.Before(bed);
        await StartAsync(bed, "Ada");
        news.Close();
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{Text(bed, "id")}", "name=Ada+of+Stripe");
        var writes = bed.Stripe.WriteCount;
        await bed.ExecuteAsync("update customers set name = 'Ada of Postgres'");
        await bed.UntilAsync(() => bed.Stripe.WriteCount > writes, "our write falls on the edit");
        news.Open();
        var conflict = await WaitingAsync(bed);
        (conflict.ValueA, conflict.ValueB).ShouldBe(("\"Ada of Postgres\"", "\"Ada of Stripe\""));
        await bed.UntilAsync(() => Text(bed, "name") == "Ada of Stripe", "the edit is there again");
        await bed.QuietAsync();
        (await NamesAsync(bed)).ShouldBe(("Ada of Postgres", "Ada of Stripe"));
        (await bed.Engine.ResolveAsync((await WaitingAsync(bed)).Id, Side.B, null, default)).ShouldBeTrue();
        await EqualAsync(bed, "Ada of Stripe");
    }

    [SkippableFact]
    public async Task A_given_value_goes_to_both_sides_as_often_as_it_is_given()
    {
        await using var bed = await StartAsync("Ada");
        for (var round = 1; round <= 2; round++)
        {
            await CollideAsync(bed, $"Postgres {round}", $"Stripe {round}");
            var conflict = await WaitingAsync(bed);
            (await bed.Engine.ResolveAsync(
                conflict.Id, Side.A, JsonElement.Parse("\"Lady Lovelace\""), default)).ShouldBeTrue();
            await EqualAsync(bed, "Lady Lovelace");
            var decided = (await bed.Engine.Parts.Store.FindConflictAsync(conflict.Id, default)).ShouldNotBeNull();
            (decided.Policy, decided.ValueA, decided.ValueB)
                .ShouldBe(("given", $"\"Postgres {round}\"", $"\"Stripe {round}\""));
        }
    }

    [SkippableFact]
    public async Task A_write_that_was_done_is_told_though_the_other_sides_write_is_refused()
    {
        await using var bed = await StartAsync("Ada");
        await CollideAsync(bed, "Ada of Postgres", "Ada of Stripe");
        await bed.ExecuteAsync("alter table customers add constraint no_lady check (name <> 'Lady')");
        var writes = bed.Stripe.WriteCount;
        await bed.Engine.ResolveAsync((await WaitingAsync(bed)).Id, Side.A, JsonElement.Parse("\"Lady\""), default);
        await bed.UntilAsync(async () => (await KindsAsync(bed)).Contains((TimelineKind.DeadLettered, Side.A)),
            "PostgreSQL refuses the value");
        await bed.QuietAsync();
        (await NamesAsync(bed)).ShouldBe(("Ada of Postgres", "Lady"));
        (await KindsAsync(bed)).SkipWhile(static l => l.Kind != TimelineKind.Replayed).Skip(1).Take(2)
            .ShouldBe([(TimelineKind.Written, Side.B), (TimelineKind.DeadLettered, Side.A)]);

        await bed.ExecuteAsync("alter table customers drop constraint no_lady");
        await bed.Engine.ReplayAsync(
            [.. (await bed.Engine.Parts.Store.ListDeadLettersAsync(null, 0, 10, default)).Select(static l => l.Id)], default);
        await EqualAsync(bed, "Lady");
        (await KindsAsync(bed)).SkipWhile(static l => l.Kind != TimelineKind.Replayed)
            .Count(static l => l == (TimelineKind.Written, Side.B))
            .ShouldBe((int)(bed.Stripe.WriteCount - writes), "each write is told once");
    }

    [SkippableFact]
    public async Task A_decision_finds_its_pair_under_another_key_and_a_delete_ends_what_waits()
    {
        await using var bed = await StartAsync("Ada");
        await CollideAsync(bed, "Ada of Postgres", "Ada of Stripe");
        await bed.ExecuteAsync("update customers set id = 4711");
        var moved = RecordKey.Of("4711");
        await bed.UntilAsync(async () => (await WaitingAsync(bed)).A == moved, "the conflict follows");
        (await bed.Engine.ResolveAsync((await WaitingAsync(bed)).Id, Side.A, null, default)).ShouldBeTrue();
        await EqualAsync(bed, "Ada of Postgres");

        await CollideAsync(bed, "Postgres", "Stripe");
        var waiting = await WaitingAsync(bed);
        await bed.ExecuteAsync("delete from customers");
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 0, "the delete goes over");
        await bed.QuietAsync();
        var ended = (await bed.Engine.Parts.Store.FindConflictAsync(waiting.Id, default)).ShouldNotBeNull();
        (ended.Winner, ended.Policy, ended.ValueB).ShouldBe((Side.A, "delete", "\"Stripe\""));
    }

    private static string? Text(Bed bed, string field) =>
        bed.StripeCustomer("ada@x.org").GetProperty(field).GetString();

    private static async Task<(string Postgres, string? Stripe)> NamesAsync(Bed bed) =>
        ((await bed.QueryAsync("select name from customers"))[0], Text(bed, "name"));

    private static async Task EqualAsync(Bed bed, string name)
    {
        await bed.UntilAsync(async () => await NamesAsync(bed) == (name, name), $"both sides say {name}");
        await bed.QuietAsync();
        (await NamesAsync(bed)).ShouldBe((name, name));
    }

    private static async Task<List<(TimelineKind Kind, Side Side)>> KindsAsync(Bed bed) =>
        [.. (await bed.Engine.Parts.Store.ReadTimelineAsync("acme/customers", Side.A,
            RecordKey.Of((await bed.QueryAsync("select id from customers"))[0]), 100, default))
            .Select(static l => (l.Kind, l.Side))];

    private static async Task<Conflict> WaitingAsync(Bed bed)
    {
        IReadOnlyList<Conflict> waiting = [];
        await bed.UntilAsync(async () =>
        {
            waiting = await bed.Engine.Parts.Store.ListConflictsAsync("acme/customers", true, 0, 10, default);
            return waiting.Count > 0;
        }, "a conflict waits");
        return waiting.ShouldHaveSingleItem();
    }

    private static async Task CollideAsync(Bed bed, string inPostgres, string inStripe)
    {
        await bed.Engine.PauseAsync("acme/customers", default);
        await bed.ExecuteAsync($"update customers set name = '{inPostgres}'");
        bed.Stripe.EditOnDashboard("POST", $"/v1/customers/{Text(bed, "id")}", $"name={Uri.EscapeDataString(inStripe)}");
        await bed.Engine.ResumeAsync("acme/customers", default);
        await WaitingAsync(bed);
        await bed.QuietAsync();
    }

    private async Task<Bed> StartAsync(string name)
    {
        var bed = await postgres.BedAsync();
        await StartAsync(bed, name);
        return bed;
    }

    private static async Task StartAsync(Bed bed, string name)
    {
        bed.SyncSettings = bed.SyncSettings.Replace(
            "conflict: { default: latest }", "conflict: { default: latest, fields: { name: manual } }", StringComparison.Ordinal);
        await bed.ExecuteAsync($"insert into customers (name, email) values ('{name}', 'ada@x.org')");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("ada@x.org"), $"{name} arrives");
        await bed.QuietAsync();
    }
}
