namespace Duplex.Connectors.Stripe.Tests;

public sealed class ErrorTests
{
    public static TheoryData<int, string, string, ErrorCode> Answers => new()
    {
        { 400, Error("invalid_request_error", "parameter_missing", "name"), "", ErrorCode.SinkRejected },
        { 400, Error("invalid_request_error", "parameter_unknown", "nosuch"), "", ErrorCode.SinkRejected },
        { 400, Error("invalid_request_error", "rate_limit"), "", ErrorCode.SinkRateLimited },
        { 400, Error("idempotency_error"), "", ErrorCode.SinkKeyReused },
        { 400, Error("invalid_request_error", "resource_already_exists"), "", ErrorCode.SinkExists },
        { 400, Error("invalid_request_error", "resource_missing", "default_price"), "", ErrorCode.SinkRejected },
        { 401, Error("invalid_request_error"), "", ErrorCode.SinkUnauthorized },
        { 401, Error("invalid_request_error", "api_key_expired"), "", ErrorCode.SinkUnauthorized },
        { 402, Error("card_error", "card_declined"), "", ErrorCode.SinkRejected },
        { 403, Error("invalid_request_error"), "", ErrorCode.SinkUnauthorized },
        { 404, Error("invalid_request_error", "resource_missing", "id"), "", ErrorCode.SinkGone },
        { 404, Error("invalid_request_error", "resource_missing", "customer"), "", ErrorCode.SinkGone },
        { 404, Error("invalid_request_error", "resource_missing", "default_source"), "", ErrorCode.SinkRejected },
        { 404, Error("invalid_request_error"), "", ErrorCode.SinkUnavailable },
        { 404, "<html>Not here</html>", "", ErrorCode.SinkUnavailable },
        { 408, "", "", ErrorCode.SinkUnavailable },
        { 409, Error("idempotency_error", "idempotency_key_in_use"), "", ErrorCode.SinkBusy },
        { 409, Error("invalid_request_error", "lock_timeout"), "", ErrorCode.SinkBusy },
        { 409, Error("invalid_request_error"), "Stripe-Should-Retry: false", ErrorCode.SinkRejected },
        { 429, Error("invalid_request_error", "rate_limit"), "Stripe-Rate-Limited-Reason: global-rate",
            ErrorCode.SinkRateLimited },
        { 429, Error("invalid_request_error", "rate_limit"), "Retry-After: 7", ErrorCode.SinkRateLimited },
        { 429, "", "", ErrorCode.SinkRateLimited },
        { 429, Error("invalid_request_error", "lock_timeout"), "", ErrorCode.SinkBusy },
        { 500, Error("api_error"), "", ErrorCode.SinkUnavailable },
        { 500, Error("api_error"), "Stripe-Should-Retry: false", ErrorCode.SinkFailed },
        { 500, Error("api_error"), "Idempotent-Replayed: true", ErrorCode.SinkFailed },
        { 502, "<html>Bad gateway</html>", "", ErrorCode.SinkUnavailable },
        { 503, "", "", ErrorCode.SinkUnavailable },
        { 504, "", "", ErrorCode.SinkUnavailable },
        { 400, Error("invalid_request_error"), "Stripe-Should-Retry: true", ErrorCode.SinkUnavailable },
        { 302, "", "Location: https://elsewhere.example/", ErrorCode.SinkUnavailable },
        { 200, "<html>Sign in to the network</html>", "", ErrorCode.SinkUnavailable },
        { 200, "", "", ErrorCode.SinkUnavailable },
        { 200, "{\"id\":\"cus_1\"", "", ErrorCode.SinkUnavailable },
        { 200, "{\"object\":\"customer\"}", "", ErrorCode.SinkUnavailable },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Every_answer_has_its_class(int status, string body, string header, ErrorCode code)
    {
        (string, string)[] headers = header.Split(": ") is [var name, var value] ? [(name, value)] : [];
        var stripe = new ScriptedStripe((_, _) => ScriptedStripe.Reply(status, body, headers));
        await using var sink = new StripeConnector().OpenSink(Connection.To(stripe));

        var outcome =
            await sink.WriteAsync(Connection.Update("customers", RecordKey.Of("cus_1"), """{"name":"Ann"}"""));

        outcome.Status.ShouldBe(WriteStatus.Failed);
        outcome.Error.ShouldNotBeNull().Code.ShouldBe(code);
        outcome.RequestId.ShouldBe("req_1");
        stripe.Requests.Count.ShouldBe(1, "a sink retries nothing");
    }

    [Fact]
    public async Task A_refusal_names_the_field_and_keeps_the_vendors_words_apart()
    {
        var stripe =
            new ScriptedStripe((_, _) => ScriptedStripe.Reply(400, Error("invalid_request_error", "parameter_invalid",
            "address[city]", "No such city: Atlantis")));
        await using var sink = new StripeConnector().OpenSink(Connection.To(stripe));

        var error = (await sink.WriteAsync(Connection.Create("customers", """{"name":"Ann"}""")))
            .Error.ShouldNotBeNull();

        error.Path.ShouldBe("address.city");
        error.Message.ShouldNotContain("Atlantis");
        error.Detail.ShouldBe("No such city: Atlantis (req_1)");
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("0", 0)]
    [InlineData("99999999", 3600)]
    [InlineData("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", 3600)]
    public async Task A_wish_to_wait_is_told_within_reason(string retryAfter, int seconds)
    {
        var stripe = new ScriptedStripe((_, _) => ScriptedStripe.Reply(503, "", ("Retry-After", retryAfter)));
        await using var sink = new StripeConnector().OpenSink(Connection.To(stripe));

        (await sink.WriteAsync(Connection.Create("customers", """{"name":"Ann"}"""))).Error.ShouldNotBeNull()
            .RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task Silence_and_a_broken_connection_leave_the_outcome_unknown()
    {
        var silent = new SilentStripe();
        var settings = new Dictionary<string, object> { ["request_timeout"] = "50ms" };
        var context = Connection.To(new Uri("http://127.0.0.1:9"), settings) with { HttpHandler = () => silent };
        await using var patient = new StripeConnector().OpenSink(context);
        (await patient.WriteAsync(Connection.Create("customers", """{"name":"Ann"}"""))).Error.ShouldNotBeNull()
            .Code.ShouldBe(ErrorCode.SinkUnavailable);

        var broken = new ScriptedStripe((_, _) => throw new HttpRequestException(HttpRequestError.ResponseEnded));
        await using var cut = new StripeConnector().OpenSink(Connection.To(broken));
        (await cut.WriteAsync(Connection.Create("customers", """{"name":"Ann"}"""))).Error.ShouldNotBeNull()
            .Code.ShouldBe(ErrorCode.SinkUnavailable);
    }

    [Fact]
    public async Task The_end_of_the_process_is_no_outcome()
    {
        await using var sink = new StripeConnector().OpenSink(
            Connection.To(new Uri("http://127.0.0.1:9")) with { HttpHandler = static () => new SilentStripe() });
        using var ending = new CancellationTokenSource();
        var write = sink.WriteAsync([Connection.Create("customers", """{"name":"Ann"}""")], ending.Token);
        await ending.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(write);
    }

    [Theory]
    [InlineData("global-rate", "acme/billing")]
    [InlineData("endpoint-rate", "acme/billing/POST /v1/customers")]
    [InlineData("global-concurrency", "acme/billing")]
    [InlineData("endpoint-concurrency", "acme/billing/POST /v1/customers")]
    [InlineData("resource-specific", null)]
    [InlineData(null, "acme/billing")]
    public async Task A_limit_holds_back_what_it_is_about(string? reason, string? scope)
    {
        var budget = new RecordedBudget();
        (string, string)[] headers = reason is null ? [] : [("Stripe-Rate-Limited-Reason", reason)];
        var stripe =
            new ScriptedStripe((_, _) => ScriptedStripe.Reply(429, Error("rate_limit_error", "rate_limit"), headers));
        await using var sink = new StripeConnector().OpenSink(Connection.To(stripe, budget: budget));

        await sink.WriteAsync(Connection.Create("customers", """{"name":"Ann"}"""));

        budget.HeldBack.Select(static h => h.Scope).ShouldBe(scope is null ? [] : [scope]);
    }

    [Fact]
    public async Task A_lock_holds_nothing_else_back()
    {
        var budget = new RecordedBudget();
        var stripe =
            new ScriptedStripe((_, _) => ScriptedStripe.Reply(429, Error("invalid_request_error", "lock_timeout")));
        await using var sink = new StripeConnector().OpenSink(Connection.To(stripe, budget: budget));
        await sink.WriteAsync(Connection.Create("customers", """{"name":"Ann"}"""));
        budget.HeldBack.ShouldBeEmpty();
    }

    internal static string Error(string type, string? code = null, string? param = null, string? message = null) =>
        System.Text.Json.JsonSerializer.Serialize(new { error = new { type, code, param, message } });

    private sealed class SilentStripe : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            return await new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(cancellationToken);
        }
    }
}
