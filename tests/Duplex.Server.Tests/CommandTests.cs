using System.Text;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Simulators.Stripe;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class CommandTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private string Url => fixture.Server.Host.ControlAddress.ToString();

    [Theory]
    [InlineData("status")]
    [InlineData("status", "--wait", "180s")]
    [InlineData("dlq", "list")]
    [InlineData("dlq", "list", "--sync", "customers", "--limit", "5")]
    [InlineData("dlq", "replay", "--sync", "acme/customers")]
    [InlineData("conflicts", "list")]
    [InlineData("conflicts", "list", "--waiting", "--sync", "customers")]
    [InlineData("resume", "acme/customers")]
    [InlineData("resnapshot", "billing")]
    public async Task Every_verb_speaks_tables_and_JSON(params string[] verb)
    {
        var tables = await CommandLine.RunAsync([.. verb, "--url", Url]);
        tables.Code.ShouldBe(0, tables.Errors);
        tables.Output.ShouldNotBeNullOrWhiteSpace();
        var json = await CommandLine.RunAsync([.. verb, "--url", Url, "--json"]);
        json.Code.ShouldBe(0, json.Output);
        json.Json.ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Object);
        json.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("plan")]
    [InlineData("plan", "customers")]
    public async Task A_plan_says_by_its_exit_code_whether_a_sync_would_change_anything(params string[] verb)
    {
        await fixture.Server.UntilReadyAsync();
        var json = await CommandLine.RunAsync([.. verb, "--url", Url, "--json"]);
        json.Code.ShouldBe(json.Json.GetProperty("has_changes").GetBoolean() ? 2 : 0, json.Output);
        (await CommandLine.RunAsync([.. verb, "--url", Url])).Output.ShouldContain("acme/customers");
    }

    [Fact]
    public async Task Pause_and_resume_say_what_they_did()
    {
        var paused = await CommandLine.RunAsync("pause", "customers", "--url", Url, "--json");
        paused.Json.GetProperty("done").GetString().ShouldBe("paused");
        await RunningServer.UntilAsync(
            async () => (await CommandLine.RunAsync("status", "--url", Url))
                .Output.Contains("paused", StringComparison.Ordinal),
            "the status shows it");
        (await CommandLine.RunAsync("resume", "customers", "--url", Url)).Output.ShouldBe("acme/customers: resumed\n");
    }

    [Fact]
    public async Task Trace_shows_a_record_found_by_its_key_on_either_side()
    {
        var server = fixture.Server;
        await server.UntilReadyAsync();
        server.Shop.EditOnDashboard("POST", "/v1/customers", "name=Ada&email=trace@example.org");
        await RunningServer.UntilAsync(
            () => Task.FromResult(Id(server.Billing, "trace@example.org") is not null), "the customer has arrived");
        foreach (var key in new[] { Id(server.Shop, "trace@example.org")!, Id(server.Billing, "trace@example.org")! })
        {
            await RunningServer.UntilAsync(
                async () => (await CommandLine.RunAsync("trace", "customers", key, "--url", Url)).Code == 0,
                    "the record is known");
            await RunningServer.UntilAsync(
                async () => (await CommandLine.RunAsync("trace", "customers", key, "--url", Url, "--json")).Json
                    .GetProperty("timeline").EnumerateArray()
                        .Any(static l => l.GetProperty("kind").GetString() == "written"),
                "the write is on the timeline");
            var record = (await CommandLine.RunAsync("trace", "customers", key, "--url", Url, "--json")).Json;
            record.GetProperty("equal").GetBoolean().ShouldBeTrue();
            record.GetProperty("link").GetProperty("a").GetString().ShouldBe(Id(server.Shop, "trace@example.org"));
            record.GetProperty("fields").GetArrayLength().ShouldBe(2);
        }
    }

    [Fact]
    public async Task A_dead_letter_is_listed_shown_and_replayed()
    {
        var store = fixture.Server.Host.Engine.Parts.Store;
        await fixture.Server.UntilReadyAsync();
        var commit =
            new StateCommit { Owner = "tests", Epoch = await store.AcquireAsync("tests", CancellationToken.None) };
        var envelope =
            """
            {"op":"u","after":{"id":"cus_gone","name":"Ada","email":"gone@example.org"},
             "source":{"connector":"stripe","name":"shop","stream":"customers","pos":"","ts_us":1},"ts_ms":1}
            """;
        commit.Mutations.Add(new StateMutation.PutDeadLetter(new DeadLetter(
            0, new LegId("acme/customers", Side.A), RecordKey.Of("cus_gone"), Encoding.UTF8.GetBytes(envelope), 0, 3, 1,
            new SyncError(ErrorCode.SinkRejected, "Stripe refuses [it].", Suggestion: "Correct it."))));
        await store.CommitAsync(commit, CancellationToken.None);

        var list = (await CommandLine.RunAsync("dlq", "list", "--url", Url, "--json")).Json.GetProperty("items");
        list.GetArrayLength().ShouldBe(1);
        var id = list[0].GetProperty("id").GetInt64().ToString();
        (await CommandLine.RunAsync("dlq", "list", "--url", Url)).Output.ShouldContain("Stripe refuses [it].");
        var shown = await CommandLine.RunAsync("dlq", "show", id, "--url", Url, "--json");
        shown.Json.GetProperty("change").GetProperty("after").GetProperty("email").GetString()
            .ShouldBe("gone@example.org");
        shown.Json.GetProperty("attempts").GetInt32().ShouldBe(3);
        (await CommandLine.RunAsync("dlq", "show", id, "--url", Url)).Output.ShouldContain("gone@example.org");

        var replay = await CommandLine.RunAsync("dlq", "replay", id, "--url", Url, "--json");
        replay.Code.ShouldBe(0, replay.Output);
        replay.Json.GetProperty("replayed").GetInt32().ShouldBe(1);
        await RunningServer.UntilAsync(
            async () => (await CommandLine.RunAsync("dlq", "list", "--url", Url, "--json")).Json.GetProperty("items")
                .GetArrayLength() == 0,
            "nothing waits");
    }

    [Theory]
    [InlineData(1, "request.unknown_sync", "pause", "orders")]
    [InlineData(1, "request.unknown_dead_letter", "dlq", "show", "12345")]
    [InlineData(1, "request.unknown_record", "trace", "customers", "cus_nobody")]
    [InlineData(3, "command.usage", "dlq", "replay")]
    [InlineData(3, "command.usage", "pause")]
    [InlineData(3, "command.usage", "dlq", "show", "first")]
    [InlineData(3, "command.usage", "status", "--wait", "soon")]
    [InlineData(3, "command.usage", "nonsense")]
    [InlineData(3, "command.usage", "status", "--url", "nowhere")]
    [InlineData(3, "request.bad_value", "dlq", "list", "--limit", "0")]
    [InlineData(3, "request.bad_value", "trace", "customers", "cus_nobody", "--side", "c")]
    [InlineData(3, "command.usage", "secrets", "set", "not a name")]
    public async Task A_failure_has_its_exit_code_and_says_why(int exitCode, string code, params string[] verb)
    {
        var json = await CommandLine.RunAsync([.. verb, "--url", Url, "--json"]);
        json.Code.ShouldBe(exitCode, json.Output);
        json.Json.GetProperty("code").GetString().ShouldBe(code);
        json.Json.GetProperty("fix").GetString().ShouldNotBeNullOrWhiteSpace();
        var tables = await CommandLine.RunAsync([.. verb, "--url", Url]);
        tables.Code.ShouldBe(exitCode);
        tables.Output.ShouldBeEmpty();
        tables.Errors.ShouldStartWith("error ");
    }

    [Theory]
    [InlineData("status")]
    [InlineData("pause", "customers")]
    [InlineData("dlq", "list")]
    [InlineData("plan", "customers")]
    public async Task Without_a_server_the_command_fails(params string[] verb)
    {
        var outcome = await CommandLine.RunAsync([.. verb, "--url", "http://127.0.0.1:1", "--json"]);
        outcome.Code.ShouldBe(1, outcome.Output);
        outcome.Json.GetProperty("code").GetString().ShouldBe("client.unreachable");
    }

    [Fact]
    public async Task What_is_missing_is_told_as_it_would_be_typed()
    {
        var outcome = await CommandLine.RunAsync("dlq", "show", "--json");
        outcome.Code.ShouldBe(3, outcome.Output);
        outcome.Json.GetProperty("fix").GetString().ShouldBe("duplex dlq show --help shows what it takes.");
    }

    [Fact]
    public async Task A_word_that_is_no_verb_is_what_is_wrong()
    {
        var outcome = await CommandLine.RunAsync("bogus", "--json");
        outcome.Code.ShouldBe(3, outcome.Output);
        outcome.Json.GetProperty("message").GetString().ShouldBe("Unrecognized command or argument 'bogus'.");
        outcome.Json.GetProperty("fix").GetString().ShouldBe("duplex --help shows what it takes.");
    }

    [Fact]
    public async Task An_option_that_a_verb_does_not_have_is_no_name()
    {
        var outcome = await CommandLine.RunAsync(
            "plan", "--bogus", "--url", Url, "--json");
        outcome.Code.ShouldBe(3, outcome.Output);
        outcome.Json.GetProperty("message").GetString().ShouldBe("There is no option --bogus here.");
    }

    [Fact]
    public async Task A_server_that_is_not_Duplex_is_named_so()
    {
        var outcome =
            await CommandLine.RunAsync("status", "--url", fixture.Server.Billing.BaseAddress.ToString(), "--json");
        outcome.Code.ShouldBe(1);
        outcome.Json.GetProperty("code").GetString().ShouldBe("client.foreign_server");
    }

    private static string? Id(StripeSimulator account, string email) => account.Objects("customers")
        .Select(static json => System.Text.Json.JsonElement.Parse(json))
        .Where(c => c.GetProperty("email").GetString() == email)
        .Select(static c => c.GetProperty("id").GetString()).SingleOrDefault();
}
