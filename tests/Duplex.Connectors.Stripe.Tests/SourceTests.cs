using System.Text.Json.Nodes;

namespace Duplex.Connectors.Stripe.Tests;

public sealed class SourceTests
{
    [Fact]
    public async Task The_snapshot_comes_first_and_changes_follow()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(350, 1_600_000_000, static i => i * 1_000);
        await using var source = Open(stripe);
        var journal = new Journal();

        await journal.ReadAsync(source, static j => j.Changes.Count == 350);
        journal.Changes.ShouldAllBe(static c => c.Operation == ChangeOperation.Read && c.After != null && c.Id == null);
        journal.Changes.Select(static c => c.Key).Distinct().Count().ShouldBe(350);

        var key = stripe.Created("/v1/customers", "name=Ann");
        stripe.EditOnDashboard("POST", $"/v1/customers/{key}", "name=Bo");
        stripe.EditOnDashboard("DELETE", $"/v1/customers/{key}");
        await journal.ReadAsync(source, static j => j.Changes.Count == 353);

        source.State.Phase.ShouldBe(SourcePhase.Streaming);
        source.State.SnapshotRows.ShouldBe(350);
        var changes = journal.Of(key.ToString());
        changes.Select(static c => c.Operation)
            .ShouldBe([ChangeOperation.Create, ChangeOperation.Update, ChangeOperation.Delete]);
        changes[1].Before.ShouldNotBeNull().ToString().ShouldBe("""{"name":"Ann"}""");
        changes[1].After.ShouldNotBeNull().Root.GetProperty("name").GetString().ShouldBe("Bo");
        changes[1].Origin.ShouldBeNull();
        changes[2].After.ShouldBeNull();
    }

    [Fact]
    public async Task Our_own_write_comes_back_with_our_mark()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var source = Open(stripe);
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var journal = new Journal();
        await journal.ReadAsync(source, IsSnapshotted);

        var create = Connection.Create("customers", """{"name":"Ann"}""");
        var update = Connection.Update("customers", (await sink.WriteAsync(create)).Key, """{"name":"Bo"}""");
        var written = await sink.WriteAsync(update);
        await journal.ReadAsync(source, static j => j.Changes.Count == 2);

        journal.Changes.Select(static c => c.Origin).ShouldBe([create.IdempotencyKey, update.IdempotencyKey]);
        OriginMarks.IsOurs(journal.Changes[0].Origin, "aaaaaaaa").ShouldBeTrue();
        written.AtMicros.ShouldBeGreaterThanOrEqualTo(journal.Changes[1].SourceMicros,
            "a write is never older than its event");
    }

    [Fact]
    public async Task A_kill_between_any_two_batches_of_the_snapshot_loses_nothing_and_begins_nothing_anew()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(1_200, 1_600_000_000, static i => i / 3);
        var journal = new Journal();
        var batches = 0;

        while (journal.Changes.Select(static c => c.Key).Distinct().Count() < 1_200)
        {
            await using var source = Open(stripe);
            var before = batches;
            await journal.ReadAsync(source, _ => ++batches > before + 1);
            batches.ShouldBeLessThan(200);
        }

        journal.Changes.Count.ShouldBe(1_200, "what was stored is not read again");
        await using var last = Open(stripe);
        var key = stripe.Created("/v1/customers", "name=late");
        await journal.ReadAsync(last, j => j.Of(key.ToString()).Count > 0);
        journal.Changes.Count.ShouldBe(1_201);
    }

    [Fact]
    public async Task A_batch_that_was_not_stored_comes_again()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(500, 1_600_000_000, static i => i);
        var journal = new Journal();
        await using (var lost = Open(stripe))
        {
            await new Journal().ReadAsync(lost, static j => j.Changes.Count >= 200);
        }

        await using var source = Open(stripe);
        await journal.ReadAsync(source, static j => j.Changes.Count == 500);
    }

    [Fact]
    public async Task Changes_during_the_snapshot_are_not_lost()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(800, 1_600_000_000, static i => i);
        await using var source = Open(stripe);
        var journal = new Journal();
        var edits = 0;
        await journal.ReadAsync(source, j =>
        {
            if (edits < 5)
            {
                stripe.EditOnDashboard("POST", $"/v1/customers/cus_{edits++ * 150:00000}", "name=edited");
            }

            return j.Changes.Count(static c => c.Operation == ChangeOperation.Update) == 5;
        });

        for (var i = 0; i < 5; i++)
        {
            var seen = journal.Of($"cus_{i * 150:00000}");
            seen.ShouldContain(static c => c.Operation == ChangeOperation.Update);
            var update = seen.First(static c => c.Operation == ChangeOperation.Update);
            seen.Where(static c => c.Operation == ChangeOperation.Read)
                .Where(c => c.After!.Root.GetProperty("name").GetString() != "edited")
                .ShouldAllBe(c => c.SourceMicros <= update.SourceMicros,
                    "a stale row never claims to be younger than the change");
        }
    }

    [Fact]
    public async Task A_stream_added_later_is_snapshotted_and_the_others_are_not()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(5, 1_600_000_000, static i => i);
        stripe.Created("/v1/products", "name=Pro");
        var journal = new Journal();
        await using (var first = Open(stripe))
        {
            await journal.ReadAsync(first, IsSnapshotted);
        }

        await using var both = Open(stripe, "customers", "products");
        await journal.ReadAsync(both, static j => j.Changes.Any(static c => c.Stream == "products"));
        journal.Changes.Count(static c => c.Operation == ChangeOperation.Read && c.Stream == "customers").ShouldBe(5);
    }

    [Fact]
    public async Task What_webhooks_missed_is_polled_and_what_they_told_comes_once()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var source = Open(stripe);
        var journal = new Journal();
        await using var inbox = new WebhookInbox(source, journal);
        stripe.AddWebhook(inbox.Address, [Connection.WebhookSecret]);
        await journal.ReadAsync(source, IsSnapshotted);

        var told = stripe.Created("/v1/customers", "name=told");
        await journal.UntilAsync(j => j.Of(told.ToString()).Count == 1);
        stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDrop });
        var missed = stripe.Created("/v1/customers", "name=missed");

        await journal.ReadAsync(source, j => j.Of(missed.ToString()).Count == 1);

        journal.Changes.Count.ShouldBe(2);
        journal.Dropped.ShouldBe(1, "the poll meets the event that the webhook told");
        inbox.Answers.ToArray().ShouldBe([200]);
    }

    [Fact]
    public async Task Webhooks_that_never_come_are_noticed()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var source = Open(stripe);
        var journal = new Journal();
        await journal.ReadAsync(source, IsSnapshotted);

        stripe.Created("/v1/customers", "name=unheard");
        await journal.ReadAsync(source, j =>
        {
            stripe.Created("/v1/customers", "name=unheard");
            stripe.AdvanceClock(TimeSpan.FromMinutes(3));
            return source.State.Warning is not null || j.Changes.Count > 20;
        });

        source.State.Warning.ShouldNotBeNull().ShouldContain("webhooks");
    }

    [Fact]
    public async Task Duplicate_and_replayed_webhooks_are_one_change()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var source = Open(stripe);
        var journal = new Journal();
        await using var inbox = new WebhookInbox(source, journal);
        stripe.AddWebhook(inbox.Address, [Connection.WebhookSecret]);
        stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDuplicate, Next = 1 });

        stripe.Created("/v1/customers", "name=Ann");
        await journal.UntilAsync(static j => j.Changes.Count == 1 && j.Dropped == 1);
        stripe.ResendEvent(journal.Changes[0].Id.ShouldNotBeNull());
        await journal.UntilAsync(static j => j.Dropped == 2);

        journal.Changes.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_forged_webhook_is_refused_and_a_rotated_secret_is_not()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var source = Open(stripe, new Dictionary<string, object>
        {
            ["webhook_secret"] = new List<string> { "whsec_next", Connection.WebhookSecret },
        });
        var journal = new Journal();
        await using var inbox = new WebhookInbox(source, journal);
        var endpoint = stripe.AddWebhook(inbox.Address, [Connection.WebhookSecret]);
        stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookForge, Next = 1 });

        var key = stripe.Created("/v1/customers", "name=Ann");
        await journal.UntilAsync(static j => j.Changes.Count == 1);
        inbox.Answers.ToArray().ShouldBe([401, 200], "the sender tries a refused delivery again, signed");

        stripe.RotateSecrets(endpoint, ["whsec_next", Connection.WebhookSecret]);
        stripe.EditOnDashboard("POST", $"/v1/customers/{key}", "name=Bo");
        await journal.UntilAsync(static j => j.Changes.Count == 2);
        stripe.RotateSecrets(endpoint, ["whsec_next"]);
        stripe.EditOnDashboard("POST", $"/v1/customers/{key}", "name=Cy");
        await journal.UntilAsync(static j => j.Changes.Count == 3);
    }

    [Fact]
    public async Task A_long_absence_is_read_from_its_oldest_end_in_bounded_batches()
    {
        await using var stripe = await Simulator.StartAsync();
        var journal = new Journal();
        await using (var before = Open(stripe))
        {
            await journal.ReadAsync(before, IsSnapshotted);
        }

        for (var day = 0; day < 20; day++)
        {
            stripe.AdvanceClock(TimeSpan.FromDays(1));
            stripe.SeedCustomers(150, events: true);
        }

        await using var source = Open(stripe);
        var largest = 0;
        var count = 0;
        await journal.ReadAsync(source, j =>
        {
            largest = Math.Max(largest, j.Changes.Count - count);
            count = j.Changes.Count;
            return j.Changes.Count(static c => c.Operation == ChangeOperation.Create) == 3_000;
        });

        largest.ShouldBeLessThanOrEqualTo(1_000);
        var creates = journal.Changes.Where(static c => c.Operation == ChangeOperation.Create).ToList();
        creates.Select(static c => c.SourceMicros).ShouldBeInOrder();
        journal.Dropped.ShouldBe(0);
    }

    [Fact]
    public async Task A_burst_is_read_once_and_not_with_every_poll_after_it()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var source = Open(stripe);
        var journal = new Journal();
        await journal.ReadAsync(source, IsSnapshotted);
        stripe.SeedCustomers(20_000, events: true);
        var before = stripe.RequestCount;
        await journal.ReadAsync(source, j =>
        {
            if (j.Changes.Count >= 20_000)
            {
                stripe.AdvanceClock(TimeSpan.FromSeconds(10));
                stripe.Created("/v1/customers", "name=after");
            }

            return j.Changes.Count >= 20_005;
        });

        journal.Dropped.ShouldBe(0, "no event is told twice");
        (stripe.RequestCount - before).ShouldBeLessThan(700, "200 pages hold the burst");
    }

    [Fact]
    public async Task Events_that_Stripe_no_longer_keeps_are_a_gap_and_a_snapshot_closes_it()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(3, 1_600_000_000, static i => i);
        var journal = new Journal();
        await using (var before = Open(stripe))
        {
            await journal.ReadAsync(before, static j => j.Changes.Count == 3);
        }

        stripe.AdvanceClock(TimeSpan.FromDays(31));
        stripe.EditOnDashboard("POST", "/v1/customers/cus_00001", "name=edited");
        await using var source = Open(stripe);
        var gap = await Should.ThrowAsync<SyncException>(() => journal.ReadAsync(source, static _ => false));
        gap.Error.Code.ShouldBe(ErrorCode.SourceGap);
        gap.Error.Suggestion.ShouldNotBeNull();
        journal.Changes.Count.ShouldBe(3, "a gap is never passed over");

        var saved = journal.Position.ShouldNotBeNull();
        var anew = (await source.ResnapshotAsync(saved, CancellationToken.None)).ShouldNotBeNull();
        anew.Epoch.ShouldBe(saved.Epoch + 1);
        var again = new Journal();
        again.Append(new ChangeBatch(16) { Position = anew });
        await again.ReadAsync(source,
            static j => j.Changes.Count(static c => c.Operation == ChangeOperation.Read) == 3);
        again.Of("cus_00001").ShouldContain(static c => c.After!.Root.GetProperty("name").GetString() == "edited");
    }

    [Fact]
    public async Task A_quiet_account_is_no_gap()
    {
        await using var stripe = await Simulator.StartAsync();
        var journal = new Journal();
        for (var week = 0; week < 8; week++)
        {
            await using var source = Open(stripe);
            var recent = (ulong)stripe.Now.AddHours(-1).ToUnixTimeSeconds();
            await journal.ReadAsync(source, j => j.Position!.Major > recent);
            stripe.AdvanceClock(TimeSpan.FromDays(7));
        }

        journal.Changes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_position_of_another_account_is_a_gap()
    {
        var journal = new Journal();
        await using (var stripe = await Simulator.StartAsync())
        {
            await using var source = Open(stripe);
            await journal.ReadAsync(source, static j => j.Position is not null);
        }

        await using var other = await StripeSimulator.StartAsync(
            new StripeSimulatorOptions { ApiKey = "sk_test_123", AccountId = "acct_other" });
        await using var wrong = Open(other);
        (await Should.ThrowAsync<SyncException>(() => journal.ReadAsync(wrong, static _ => false)))
            .Error.Code.ShouldBe(ErrorCode.SourceGap);
    }

    [Theory]
    [InlineData(FaultKind.Unauthorized, ErrorCode.SourceUnauthorized)]
    [InlineData(FaultKind.ErrorBefore, ErrorCode.SourceUnavailable)]
    [InlineData(FaultKind.ResetBefore, ErrorCode.SourceUnavailable)]
    public async Task What_ends_the_reading_is_told_apart(FaultKind kind, ErrorCode code)
    {
        await using var stripe = await Simulator.StartAsync();
        await using var source = Open(stripe);
        stripe.AddFault(new FaultRule { Kind = kind });
        (await Should.ThrowAsync<SyncException>(() => new Journal().ReadAsync(source, static _ => false)))
            .Error.Code.ShouldBe(code);

        stripe.ClearFaults();
        stripe.SeedSpread(2, 1_600_000_000, static i => i);
        await new Journal().ReadAsync(source, static j => j.Changes.Count == 2);
    }

    [Fact]
    public async Task An_event_that_becomes_visible_late_is_read()
    {
        await using var stripe = await Simulator.StartAsync();
        var late = "";
        var polls = 0;
        var context = stripe.Context() with
        {
            HttpHandler =
                () => new Rewrite(page => polls < 3 && late.Length > 0 ? Without(page, late) : page, () => polls++),
        };
        await using var source = new StripeConnector().OpenSource(context, ["customers"]);
        var journal = new Journal();
        await journal.ReadAsync(source, IsSnapshotted);

        late = stripe.Created("/v1/customers", "name=late").ToString();
        stripe.AdvanceClock(TimeSpan.FromSeconds(20));
        var early = stripe.Created("/v1/customers", "name=early").ToString();
        polls = 0;
        await journal.ReadAsync(source, j => j.Of(early).Count == 1 && j.Of(late).Count == 1);

        journal.Changes.Select(static c => c.Key.ToString()).ShouldBe([early, late]);
        journal.Dropped.ShouldBe(0, "what was seen is passed over");
    }

    private static bool IsSnapshotted(Journal journal) =>
        journal.Position?.Token?.Contains("\"Done\":[\"customers\"]", StringComparison.Ordinal) == true;

    private static IWebhookSource Open(StripeSimulator stripe, params string[] streams) =>
        (IWebhookSource)new StripeConnector()
        .OpenSource(stripe.Context(), streams.Length == 0 ? ["customers"] : streams);

    private static IWebhookSource Open(StripeSimulator stripe, Dictionary<string, object> settings) =>
        (IWebhookSource)new StripeConnector().OpenSource(stripe.Context(settings), ["customers"]);

    private static string Without(string page, string customer)
    {
        var list = JsonNode.Parse(page)!;
        var data = list["data"]!.AsArray();
        foreach (var item in data.Where(e => e!["data"]!["object"]!["id"]!.GetValue<string>() == customer).ToList())
        {
            data.Remove(item);
        }

        return list.ToJsonString();
    }

    /// <summary>Changes the answers to polls with a lower bound of time.</summary>
    private sealed class Rewrite(Func<string, string> change, Action polled)
        : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (request.RequestUri!.PathAndQuery.Contains("/v1/events?limit=100", StringComparison.Ordinal))
            {
                var page = change(await response.Content.ReadAsStringAsync(cancellationToken));
                polled();
                response.Content = new StringContent(page);
            }

            return response;
        }
    }
}
