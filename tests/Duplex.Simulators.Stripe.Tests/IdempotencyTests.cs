using Duplex.Simulators.Stripe.Faults;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class IdempotencyTests : SimulatorTests
{
    [Fact]
    public async Task The_same_key_and_parameters_replay_the_first_answer()
    {
        var first = await Stripe.PostAsync("/v1/customers", "name=A&email=a@x.de", "k1");
        var second = await Stripe.PostAsync("/v1/customers", "email=a@x.de&name=A", "k1");
        second.Text("id").ShouldBe(first.Text("id"));
        second.Header("Idempotent-Replayed").ShouldBe("true");
        second.Header("Original-Request").ShouldBe(first.Header("Request-Id"));
        first.Header("Idempotent-Replayed").ShouldBeNull();
        Simulator.Objects("customers").Count.ShouldBe(1);
        Simulator.EventCount.ShouldBe(1);
    }

    [Fact]
    public async Task Another_request_under_a_used_key_is_an_idempotency_error()
    {
        var first = await Stripe.PostAsync("/v1/customers", "name=A", "k1");
        foreach (var answer in new[]
        {
            await Stripe.PostAsync("/v1/customers", "name=B", "k1"),
            await Stripe.PostAsync("/v1/customers/" + first.Text("id"), "name=A", "k1"),
        })
        {
            answer.Status.ShouldBe(400);
            answer.Error["type"]!.GetValue<string>().ShouldBe("idempotency_error");
        }

        Simulator.Objects("customers").Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_that_failed_validation_leaves_its_key_free()
    {
        (await Stripe.PostAsync("/v1/customers", "nosuch=A", "k1")).Status.ShouldBe(400);
        (await Stripe.PostAsync("/v1/customers", "name=A", "k1")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_key_is_forgotten_after_a_day()
    {
        var first = await Stripe.PostAsync("/v1/customers", "name=A", "k1");
        Simulator.AdvanceClock(TimeSpan.FromHours(23.9));
        (await Stripe.PostAsync("/v1/customers", "name=A", "k1")).Text("id").ShouldBe(first.Text("id"));
        Simulator.AdvanceClock(TimeSpan.FromHours(0.2));
        (await Stripe.PostAsync("/v1/customers", "name=A", "k1")).Text("id").ShouldNotBe(first.Text("id"));
    }

    [Theory]
    [InlineData(FaultKind.ErrorBefore, 0, 200)]
    [InlineData(FaultKind.ErrorDuring, 0, 500)]
    [InlineData(FaultKind.ErrorAfter, 1, 500)]
    public async Task A_500_is_replayed_if_and_only_if_execution_had_begun(FaultKind kind, int effects, int again)
    {
        Simulator.AddFault(new FaultRule { Kind = kind, Next = 1 });
        var failed = await Stripe.PostAsync("/v1/customers", "name=A", "k1");
        failed.Status.ShouldBe(500);
        failed.Error["type"]!.GetValue<string>().ShouldBe("api_error");
        Simulator.Objects("customers").Count.ShouldBe(effects);
        (await Stripe.PostAsync("/v1/customers", "name=A", "k1")).Status.ShouldBe(again);
    }

    [Theory]
    [InlineData(FaultKind.ResetBefore, 0)]
    [InlineData(FaultKind.TimeoutBefore, 0)]
    [InlineData(FaultKind.ResetAfter, 1)]
    [InlineData(FaultKind.TimeoutAfter, 1)]
    [InlineData(FaultKind.CutBody, 1)]
    public async Task A_lost_answer_makes_one_customer_in_all_when_the_key_is_used_again(FaultKind kind, int effects)
    {
        Simulator.AddFault(new FaultRule { Kind = kind, Next = 1, DelayMilliseconds = 50 });
        await Should.ThrowAsync<HttpRequestException>(() => Stripe.PostAsync("/v1/customers", "name=A", "k1"));
        Simulator.Objects("customers").Count.ShouldBe(effects);
        Simulator.Statistics.ByOperation()["POST /v1/customers"].Sum(static status => status.Value).ShouldBe(1);
        Simulator.AddFault(new FaultRule { Kind = FaultKind.ResetAfter, Next = 1 });
        await Should.ThrowAsync<HttpRequestException>(() => Stripe.PostAsync("/v1/customers", "name=A", "k1"));
        var again = await Stripe.PostAsync("/v1/customers", "name=A", "k1");
        again.Status.ShouldBe(200);
        again.Header("Idempotent-Replayed").ShouldBe("true");
        Simulator.Objects("customers").Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_key_in_use_is_a_conflict_and_the_first_request_still_succeeds()
    {
        Simulator.AddFault(new FaultRule { Kind = FaultKind.Slow, Next = 1, DelayMilliseconds = 2000 });
        var first = Stripe.PostAsync("/v1/customers", "name=A", "k1");
        while (!Simulator.FaultCounts.ContainsKey(FaultKind.Slow))
        {
            // The first request has claimed its key once its slowness has struck.
            await Task.Yield();
        }

        var second = await Stripe.PostAsync("/v1/customers", "name=A", "k1");
        second.Status.ShouldBe(409);
        second.Error["code"]!.GetValue<string>().ShouldBe("idempotency_key_in_use");
        (await first).Status.ShouldBe(200);
        Simulator.Objects("customers").Count.ShouldBe(1);
    }
}
