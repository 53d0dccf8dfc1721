namespace Duplex.Connectors.Stripe.Tests;

/// <summary>Writes that go wrong on the wire have one effect in the end, and never two.</summary>
public sealed class FaultTests
{
    public static TheoryData<FaultKind, ErrorCode, int> Faults => new()
    {
        { FaultKind.ErrorBefore, ErrorCode.SinkUnavailable, 0 },
        { FaultKind.ErrorDuring, ErrorCode.SinkUnavailable, 0 },
        { FaultKind.ErrorAfter, ErrorCode.SinkUnavailable, 1 },
        { FaultKind.ResetBefore, ErrorCode.SinkUnavailable, 0 },
        { FaultKind.ResetAfter, ErrorCode.SinkUnavailable, 1 },
        { FaultKind.TimeoutBefore, ErrorCode.SinkUnavailable, 0 },
        { FaultKind.TimeoutAfter, ErrorCode.SinkUnavailable, 1 },
        { FaultKind.CutBody, ErrorCode.SinkUnavailable, 1 },
        { FaultKind.RateLimit, ErrorCode.SinkRateLimited, 0 },
        { FaultKind.LockTimeout, ErrorCode.SinkBusy, 0 },
        { FaultKind.Conflict, ErrorCode.SinkBusy, 0 },
        { FaultKind.Unauthorized, ErrorCode.SinkUnauthorized, 0 },
        { FaultKind.Forbidden, ErrorCode.SinkUnauthorized, 0 },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_create_that_fails_is_made_once_when_it_is_tried_again(FaultKind kind, ErrorCode code, int made)
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(Context(stripe, kind));
        stripe.AddFault(new FaultRule
        {
            Kind = kind, Operation = "POST /v1/customers", Next = 1, DelayMilliseconds = 60_000, RetryAfterSeconds = 3,
        });
        var create = Connection.Create("customers", """{"name":"Ann"}""");

        var first = await sink.WriteAsync(create);
        first.Status.ShouldBe(WriteStatus.Failed);
        first.Error.ShouldNotBeNull().Code.ShouldBe(code, $"{first.Error}");
        first.Error.RetryAfter.ShouldBe(kind == FaultKind.RateLimit ? TimeSpan.FromSeconds(3) : null);
        stripe.All("customers").Length.ShouldBe(made);
        stripe.FaultCounts[kind].ShouldBe(1);

        // The engine's rule: an unknown outcome is tried again under its key, a failure that the key replays under a
        // fresh one.
        var last = await sink.WriteAsync(create);
        if (last.Error?.Code == ErrorCode.SinkFailed)
        {
            kind.ShouldBe(FaultKind.ErrorDuring);
            last = await sink.WriteAsync(create with { IdempotencyKey = Connection.NewKey() });
        }

        last.Status.ShouldBe(WriteStatus.Applied, $"{last.Error}");
        stripe.All("customers").ShouldHaveSingleItem().GetProperty("id").GetString().ShouldBe(last.Key.ToString());
    }

    [Theory]
    [InlineData(FaultKind.ErrorAfter)]
    [InlineData(FaultKind.ResetAfter)]
    [InlineData(FaultKind.TimeoutAfter)]
    public async Task A_delete_whose_answer_was_lost_is_done_when_it_is_tried_again(FaultKind kind)
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(Context(stripe, kind));
        var key = stripe.Created("/v1/customers", "name=Ann");
        stripe.AddFault(new FaultRule { Kind = kind, Operation = "DELETE*", Next = 1, DelayMilliseconds = 60_000 });
        var delete = Connection.Delete("customers", key);

        (await sink.WriteAsync(delete)).Error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkUnavailable);
        (await sink.WriteAsync(delete)).Status.ShouldBe(WriteStatus.Applied);
        stripe.All("customers").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_create_that_cannot_be_confirmed_keeps_its_key()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorAfter, Operation = "POST /v1/customers", Next = 1 });
        stripe.AddFault(new FaultRule { Kind = FaultKind.Forbidden, Operation = "GET /v1/events" });
        var create = Connection.Create("customers", """{"name":"Ann"}""");

        await sink.WriteAsync(create);
        (await sink.WriteAsync(create)).Error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkUnavailable);

        stripe.ClearFaults();
        (await sink.WriteAsync(create)).Status.ShouldBe(WriteStatus.Applied);
        stripe.All("customers").Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_real_limit_is_told_and_holds_back_its_scope()
    {
        await using var stripe = await Simulator.StartAsync(new() { GlobalPerSecond = 0, OperationPerSecond = 2 });
        var budget = new RecordedBudget();
        await using var sink = new StripeConnector().OpenSink(Connection.To(stripe.BaseAddress, budget: budget));

        var outcomes = new List<WriteOutcome>();
        for (var i = 0; i < 20; i++)
        {
            outcomes.Add(await sink.WriteAsync(Connection.Create("customers", $$"""{"name":"{{i}}"}""")));
        }

        var limited = outcomes.Count(static o => o.Error?.Code == ErrorCode.SinkRateLimited);
        limited.ShouldBeGreaterThan(0);
        budget.HeldBack.Select(static h => h.Scope).ShouldAllBe(static s => s == "acme/billing/POST /v1/customers");
        stripe.All("customers").Length.ShouldBe(outcomes.Count - limited);
    }

    /// <summary>Patience is short only where the fault is silence.</summary>
    private static ConnectorContext Context(StripeSimulator stripe, FaultKind kind) => stripe.Context(new()
    {
        ["request_timeout"] = kind is FaultKind.TimeoutBefore or FaultKind.TimeoutAfter ? "5s" : "60s",
    });
}
