using System.Net;
using Duplex.Cli;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>The verbs about customers, mappings, schemas and replays.</summary>
public sealed class RegistryCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("duplex-verbs-").FullName;

    [Fact]
    public async Task Mappings_are_put_tried_planned_and_taken_into_use()
    {
        await using var server = await StartAsync();
        var mapping = File("users.yaml", "rules: [ { a: id, b: userId }, { a: name, b: label } ]");
        var events = File("events.json",
            """[{"table":"users","event_type":"INSERT","primary_key":{"id":1},"after":{"id":1,"name":"Ada"}}]""");
        (await server.PostAsync(1, "Ada")).ShouldBe(HttpStatusCode.OK);
        await server.FeedAsync("customer-c", 1);
        (await RunAsync(server, "mappings", "preview", "customer-c", "users", events, "--mapping", mapping))
            .Json.GetProperty("items")[0].GetProperty("output").GetProperty("label").GetString().ShouldBe("Ada");
        (await RunAsync(server, "mappings", "put", "customer-c", "users", mapping)).Json.GetProperty("version").GetInt32().ShouldBe(2);
        var plan = await RunAsync(server, "mappings", "plan", "customer-c", "users", "2");
        (plan.Code, plan.Json.GetProperty("changed").GetInt32()).ShouldBe((ExitCode.Findings, 1));
        (await RunAsync(server, "mappings", "activate", "customer-c", "users", "2")).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        (await RunAsync(server, "mappings", "list", "customer-c")).Json.GetProperty("items")[0].GetProperty("mapping")
            .GetProperty("version").GetInt32().ShouldBe(2);
        var wrong = await RunAsync(server, "mappings", "put", "customer-c", "users", File("wrong.yaml", "rules: [ { c: 1 } ]"));
        (wrong.Code, wrong.Json.GetProperty("code").GetString()).ShouldBe((ExitCode.Findings, "mapping.invalid"));
    }

    [Fact]
    public async Task Schemas_are_put_shown_and_listed_and_a_narrower_one_must_be_meant()
    {
        await using var server = await StartAsync();
        var narrow = File("narrow.json", """{"type":"object","required":["x"]}""");
        (await RunAsync(server, "schemas", "put", "users", narrow, "--customer", "customer-c")).Code.ShouldBe(ExitCode.Findings);
        var put = await RunAsync(server, "schemas", "put", "users", narrow, "--customer", "customer-c", "--incompatible");
        put.Code.ShouldBe(ExitCode.Done, put.Output + put.Errors);
        put.Json.GetProperty("version").GetInt32().ShouldBe(2);
        (await RunAsync(server, "schemas", "show", "users", "--customer", "customer-c")).Json.GetProperty("document").GetString()
            .ShouldBe(await System.IO.File.ReadAllTextAsync(narrow));
        (await RunAsync(server, "schemas", "versions", "users", "--customer", "customer-c")).Json.GetProperty("items").EnumerateArray()
            .Select(static v => v.GetProperty("active").GetBoolean()).ShouldBe([false, true]);
        (await RunAsync(server, "schemas", "list")).Json.GetProperty("items").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_part_of_the_log_is_sent_again_and_customers_are_held_and_let_go()
    {
        await using var server = await StartAsync();
        await server.PostAsync(1, "Ada");
        await server.PostAsync(2, "Bob");
        await server.FeedAsync("customer-c", 2);
        var replay = await RunAsync(server, "replay", "customer-c", "--table", "users", "--key", "2");
        (replay.Code, replay.Json.GetProperty("state").GetString(), replay.Json.GetProperty("sent").GetInt64())
            .ShouldBe((ExitCode.Done, "done", 1));
        (await server.FeedAsync("customer-c", 3))[2].ShouldBe("""{"userId":2}""");
        (await RunAsync(server, "replay", "customer-c", "--show")).Json.GetProperty("id").GetString()
            .ShouldBe(replay.Json.GetProperty("id").GetString());
        (await RunAsync(server, "replay", "customer-c", "--from", "soon")).Code.ShouldBe(ExitCode.Usage);
        (await RunAsync(server, "replay", "customer-c", "--table", "users", "--from", "0:0,1:0,2:0")).Json.GetProperty("sent").GetInt64()
            .ShouldBe(2);
        (await RunAsync(server, "customers", "pause", "customer-c")).Code.ShouldBe(ExitCode.Done);
        await server.PostAsync(3, "Cleo");
        (await RunAsync(server, "customers", "show", "customer-c")).Json.GetProperty("progress").GetProperty("state").GetString()
            .ShouldBe("paused");
        (await RunAsync(server, "customers", "resume", "customer-c")).Code.ShouldBe(ExitCode.Done);
        await server.FeedAsync("customer-c", 6);
        var people = await CommandLine.RunAsync("--url", server.Host.ControlAddress.ToString(), "status");
        people.Output.ShouldContain("posted events: 3 taken, 0 repeated, 0 refused; 1 tables");
        people.Output.ShouldContain("default/customer-c");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<RegistryServer> StartAsync()
    {
        var server = await RegistryServer.StartAsync();
        await RegistryServer.SeedAsync(server.Host);
        return server;
    }

    private static Task<CommandLine.Outcome> RunAsync(RegistryServer server, params string[] arguments) =>
        CommandLine.RunAsync([.. arguments, "--json", "--url", server.Host.ControlAddress.ToString()]);

    private string File(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
