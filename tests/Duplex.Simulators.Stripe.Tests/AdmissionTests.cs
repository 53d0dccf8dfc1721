using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class AdmissionTests
{
    [Fact]
    public async Task A_request_without_a_valid_key_is_refused_as_401_and_without_permission_as_403()
    {
        await using var simulator = await StripeSimulator.StartAsync(new()
        {
            ExpiredKeys = ["sk_test_old"],
            RestrictedKeys = new Dictionary<string, IReadOnlyCollection<string>>
            {
                ["rk_test_reader"] = ["customers:read", "products:write"],
            },
        });
        using var wrong = new StripeCaller(simulator, "sk_test_wrongwrongwrong");
        (await wrong.GetAsync("/v1/customers")).Status.ShouldBe(401);
        (await wrong.GetAsync("/v1/customers")).Error["message"]!.GetValue<string>().ShouldNotContain("wrongwrong");
        using var old = new StripeCaller(simulator, "sk_test_old");
        (await old.GetAsync("/v1/customers")).Error["code"]!.GetValue<string>().ShouldBe("api_key_expired");
        using var reader = new StripeCaller(simulator, "rk_test_reader");
        (await reader.GetAsync("/v1/customers")).Status.ShouldBe(200);
        (await reader.PostAsync("/v1/customers", "name=A")).Status.ShouldBe(403);
        (await reader.PostAsync("/v1/products", "name=A")).Status.ShouldBe(200);
        (await reader.GetAsync("/v1/products")).Status.ShouldBe(200);
        (await reader.GetAsync("/v1/nosuch")).Status.ShouldBe(404);
        simulator.Objects("customers").ShouldBeEmpty();
    }

    [Fact]
    public async Task Each_operation_has_its_own_limit_below_the_accounts()
    {
        var time = new ManualTime();
        await using var simulator = await StripeSimulator.StartAsync(new()
        {
            Time = time,
            Limits = new StripeLimits { GlobalPerSecond = 8, OperationPerSecond = 5 },
        });
        using var stripe = new StripeCaller(simulator);
        for (var i = 0; i < 5; i++)
        {
            (await stripe.PostAsync("/v1/customers", $"name={i}")).Status.ShouldBe(200);
        }

        var refused = await stripe.PostAsync("/v1/customers", "name=x");
        refused.Status.ShouldBe(429);
        refused.Header("Stripe-Rate-Limited-Reason").ShouldBe("endpoint-rate");
        refused.Error["code"]!.GetValue<string>().ShouldBe("rate_limit");
        (await stripe.GetAsync("/v1/customers")).Status.ShouldBe(200);
        (await stripe.GetAsync("/v1/customers")).Status.ShouldBe(200);
        (await stripe.GetAsync("/v1/customers")).Header("Stripe-Rate-Limited-Reason").ShouldBe("global-rate");
        simulator.Objects("customers").Count.ShouldBe(5);
        time.Advance(TimeSpan.FromSeconds(1));
        (await stripe.PostAsync("/v1/customers", "name=y")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Two_writes_of_one_object_at_a_time_time_out_on_its_lock()
    {
        await using var simulator = await StripeSimulator.StartAsync();
        using var stripe = new StripeCaller(simulator);
        var id = await stripe.CreateAsync("/v1/customers", "name=A");
        var other = await stripe.CreateAsync("/v1/customers", "name=B");
        simulator.AddFault(new FaultRule
        {
            Kind = FaultKind.Slow, Next = 1, DelayMilliseconds = 5000, Operation = "POST /v1/customers/{id}",
        });
        var first = stripe.PostAsync("/v1/customers/" + id, "name=A1");
        while (!simulator.FaultCounts.ContainsKey(FaultKind.Slow))
        {
            await Task.Yield();
        }

        Answer second;
        do
        {
            second = await stripe.PostAsync("/v1/customers/" + id, "phone=1");
        }
        while (second.Status == 200 && !first.IsCompleted);

        second.Status.ShouldBe(429);
        second.Error["code"]!.GetValue<string>().ShouldBe("lock_timeout");
        second.Header("Stripe-Rate-Limited-Reason").ShouldBeNull();
        (await stripe.PostAsync("/v1/customers/" + other, "name=B1")).Status.ShouldBe(200);
        (await first).Text("name").ShouldBe("A1");
    }

    [Fact]
    public async Task Requests_beyond_those_that_may_run_together_are_refused()
    {
        await using var simulator = await StripeSimulator.StartAsync(new()
        {
            Limits = StripeLimits.None with { ConcurrentMax = 1 },
        });
        using var stripe = new StripeCaller(simulator);
        simulator.AddFault(new FaultRule { Kind = FaultKind.Slow, Next = 1, DelayMilliseconds = 5000 });
        var first = stripe.GetAsync("/v1/customers");
        while (!simulator.FaultCounts.ContainsKey(FaultKind.Slow))
        {
            await Task.Yield();
        }

        var second = await stripe.GetAsync("/v1/customers");
        second.Status.ShouldBe(429);
        second.Header("Stripe-Rate-Limited-Reason").ShouldBe("global-concurrency");
        (await first).Status.ShouldBe(200);
        (await stripe.GetAsync("/v1/customers")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_rate_limit_fault_carries_its_reason_and_retry_after()
    {
        await using var simulator = await StripeSimulator.StartAsync();
        using var stripe = new StripeCaller(simulator);
        simulator.AddFault(new FaultRule
        {
            Kind = FaultKind.RateLimit, Next = 1, Skip = 1, RetryAfterSeconds = 7, Reason = "resource-specific",
            Operation = "GET *",
        });
        (await stripe.GetAsync("/v1/customers")).Status.ShouldBe(200);
        var refused = await stripe.GetAsync("/v1/customers");
        refused.Status.ShouldBe(429);
        refused.Header("Retry-After").ShouldBe("7");
        refused.Header("Stripe-Rate-Limited-Reason").ShouldBe("resource-specific");
        (await stripe.GetAsync("/v1/customers")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Faults_by_chance_strike_the_same_requests_for_the_same_seed()
    {
        var first = await StruckAsync(7);
        first.ShouldContain(500);
        first.ShouldContain(200);
        (await StruckAsync(7)).ShouldBe(first);
        (await StruckAsync(8)).ShouldNotBe(first);
    }

    [Fact]
    public async Task The_date_header_and_creation_times_follow_the_simulated_clock()
    {
        await using var simulator = await StripeSimulator.StartAsync();
        using var stripe = new StripeCaller(simulator);
        simulator.SetClock(DateTimeOffset.FromUnixTimeSeconds(2_000_000_000), frozen: true);
        var made = await stripe.PostAsync("/v1/customers", "name=A");
        made.Body["created"]!.GetValue<long>().ShouldBe(2_000_000_000);
        made.Header("Date").ShouldBe("Wed, 18 May 2033 03:33:20 GMT");
        made.Header("Stripe-Version").ShouldBe("2026-07-29.dahlia");
    }

    private static async Task<List<int>> StruckAsync(int seed)
    {
        await using var simulator = await StripeSimulator.StartAsync(new() { Seed = seed, Limits = StripeLimits.None });
        using var stripe = new StripeCaller(simulator);
        simulator.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Probability = 0.5 });
        var statuses = new List<int>();
        for (var i = 0; i < 40; i++)
        {
            statuses.Add((await stripe.GetAsync("/v1/customers")).Status);
        }

        return statuses;
    }

    private sealed class ManualTime : TimeProvider
    {
        private long ticks = DateTimeOffset.UnixEpoch.AddDays(20_000).UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
    }
}
