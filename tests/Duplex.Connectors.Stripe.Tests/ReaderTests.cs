namespace Duplex.Connectors.Stripe.Tests;

public sealed class ReaderTests
{
    private const long Start = 1_600_000_000;

    public static TheoryData<string, int> Spreads => new()
    {
        { "none", 0 }, { "one second", 1 }, { "one second", 250 }, { "even", 1_234 }, { "bursts", 1_234 },
            { "newest heavy", 777 },
    };

    [Theory]
    [MemberData(nameof(Spreads))]
    public async Task Every_object_is_listed(string spread, int count)
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(count, Start, i => Seconds(spread, i));
        foreach (var parallelism in new[] { 1, 4, 16 })
        {
            await using var reader = new StripeConnector().OpenReader(
                stripe.Context(new() { ["backfill_parallelism"] = $"{parallelism}" }));
            var before = stripe.RequestCount;

            var seen = await ListAsync(reader, "customers");

            seen.Count.ShouldBe(count, "nothing is missing and nothing comes twice while nothing changes");
            seen.Distinct().Count().ShouldBe(count);
            var pages = Math.Max(1, (count + 99) / 100);
            (stripe.RequestCount - before)
                .ShouldBeLessThanOrEqualTo((2 * pages) + (2 * 30), "ranges are cut without much waste");
        }
    }

    [Fact]
    public async Task Objects_that_stay_are_listed_while_others_come_and_go()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(1_500, Start, static i => i / 7);
        await using var reader = new StripeConnector().OpenReader(stripe.Context());
        var seen = new HashSet<string>();
        var gone = new HashSet<string>();

        await foreach (var page in reader.ListAsync("customers", CancellationToken.None))
        {
            seen.UnionWith(page.Select(static r => r.Key.ToString()));
            // The last object of a page is the cursor of the next one.
            foreach (var victim in page.TakeLast(2).Select(static r => r.Key.ToString()))
            {
                if (gone.Add(victim))
                {
                    stripe.EditOnDashboard("DELETE", $"/v1/customers/{victim}");
                }
            }

            stripe.EditOnDashboard("POST", "/v1/customers", "name=late");
        }

        gone.ShouldNotBeEmpty();
        Enumerable.Range(0, 1_500).Select(static i => $"cus_{i:00000}").Except(gone).Except(seen).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    public async Task A_cursor_that_Stripe_no_longer_knows_loses_nothing(int status)
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(900, Start, static i => i / 40);
        var refused = new HashSet<string>();
        await using var reader = new StripeConnector().OpenReader(stripe.Context() with
        {
            HttpHandler = () => new CursorRefusal(status, refused),
        });

        var seen = await ListAsync(reader, "customers");

        refused.ShouldNotBeEmpty();
        seen.Distinct().Count().ShouldBe(900);
    }

    [Fact]
    public async Task A_failure_in_the_middle_of_a_list_is_an_error_and_not_an_end()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(1_000, Start, static i => i);
        stripe.AddFault(new FaultRule { Kind = FaultKind.Forbidden, Operation = "GET /v1/customers", Skip = 3 });
        await using var reader = new StripeConnector().OpenReader(stripe.Context());

        var error = await Should.ThrowAsync<SyncException>(() => ListAsync(reader, "customers"));
        error.Error.Code.ShouldBe(ErrorCode.SourceUnauthorized);
    }

    [Fact]
    public async Task Passing_trouble_does_not_end_a_list()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(600, Start, static i => i);
        stripe.AddFault(new FaultRule { Kind = FaultKind.RateLimit, Operation = "GET /v1/customers", Skip = 1, Next =
            1, RetryAfterSeconds = 0 });
        stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Operation = "GET /v1/customers", Skip = 2, Next =
            1, Status = 503 });
        await using var reader = new StripeConnector().OpenReader(stripe.Context());

        (await ListAsync(reader, "customers")).Count.ShouldBe(600);
        stripe.FaultCounts.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Leaving_a_list_early_ends_it()
    {
        await using var stripe = await Simulator.StartAsync();
        stripe.SeedSpread(2_000, Start, static i => i);
        await using var reader = new StripeConnector().OpenReader(stripe.Context());
        await foreach (var page in reader.ListAsync("customers", CancellationToken.None))
        {
            page.ShouldNotBeEmpty();
            break;
        }

        stripe.RequestCount.ShouldBeLessThan(20);
    }

    [Fact]
    public async Task A_fetch_answers_each_key_in_order_and_null_for_what_is_gone()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var reader = new StripeConnector().OpenReader(stripe.Context());
        var here = stripe.Created("/v1/customers", "name=Ann&metadata[a]=1");
        var gone = stripe.Created("/v1/customers", "name=Bo");
        stripe.EditOnDashboard("DELETE", $"/v1/customers/{gone}");

        var fetched = await reader.FetchAsync("customers",
            [gone, here, RecordKey.Of("cus_never"), here, default], CancellationToken.None);

        fetched.Select(static f => f is not null).ShouldBe([false, true, false, true, false]);
        var record = fetched[1].ShouldNotBeNull();
        record.Key.ShouldBe(here);
        record.Record.Root.GetProperty("name").GetString().ShouldBe("Ann");
        record.AtMicros.ShouldBeInRange(stripe.Now.AddMinutes(-1).ToUnixTimeSeconds() * 1_000_000,
            stripe.Now.ToUnixTimeSeconds() * 1_000_000);
    }

    private static long Seconds(string spread, int i) => spread switch
    {
        "even" => i * 3_600L,
        "bursts" => i / 300 * 5_000_000L,
        "newest heavy" => i < 50 ? i * 1_000_000L : 50_000_000L + (i / 90),
        _ => 0,
    };

    private static async Task<List<string>> ListAsync(IRecordReader reader, string stream)
    {
        var seen = new List<string>();
        await foreach (var page in reader.ListAsync(stream, CancellationToken.None))
        {
            seen.AddRange(page.Select(static r => r.Key.ToString()));
        }

        return seen;
    }

    /// <summary>Refuses every second cursor, as if its object were gone.</summary>
    private sealed class CursorRefusal(int status, HashSet<string> refused)
        : DelegatingHandler(new SocketsHttpHandler())
    {
        private int _cursors;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request,
            CancellationToken cancellationToken)
        {
            var query = request.RequestUri!.Query;
            var at = query.IndexOf("starting_after=", StringComparison.Ordinal);
            if (at < 0 || Interlocked.Increment(ref _cursors) % 2 == 0)
            {
                return base.SendAsync(request, cancellationToken);
            }

            lock (refused)
            {
                refused.Add(query[at..]);
            }

            return Task.FromResult(ScriptedStripe.Reply(
                status, ErrorTests.Error("invalid_request_error", "resource_missing", "starting_after")));
        }
    }
}
