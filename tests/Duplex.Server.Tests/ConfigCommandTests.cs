using System.Text.Json;
using Duplex.Simulators;
using Duplex.Simulators.Stripe;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class ConfigCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("duplex-cli-").FullName;

    private string ConfigPath => Path.Combine(_folder, "duplex.yaml");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Init_writes_a_configuration_that_waits_only_for_its_secrets()
    {
        var init = await CommandLine.RunAsync("init", "--config", ConfigPath, "--json");
        init.Code.ShouldBe(0, init.Output);
        init.Json.GetProperty("file").GetString().ShouldBe(ConfigPath);
        var validate = await CommandLine.RunAsync("validate", "--config", ConfigPath, "--json");
        validate.Code.ShouldBe(2);
        validate.Json.GetProperty("findings").EnumerateArray().Select(static f => f.GetProperty("message").GetString())
            .ShouldAllBe(static m => m!.StartsWith("The environment variable ", StringComparison.Ordinal));
        (await CommandLine.RunAsync("init", "--config", ConfigPath)).Code.ShouldBe(1);
        (await CommandLine.RunAsync("init", "--config", ConfigPath, "--force")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task Validate_shows_every_error_at_once_with_its_line_and_its_fix()
    {
        await File.WriteAllTextAsync(ConfigPath,
            """
            data: ./data
            conections: {}
            connections:
              shop: { connector: oracle, tenant: acme }
              billing: { connector: stripe, tenant: acme, api_kei: x }
            syncs:
              customers:
                a: { connection: shop, stream: public.customers }
                b: { connection: nowhere, stream: customers }
                direction: sideways
            """);
        var outcome = await CommandLine.RunAsync("validate", "--config", ConfigPath, "--json");
        outcome.Code.ShouldBe(2);
        outcome.Json.GetProperty("valid").GetBoolean().ShouldBeFalse();
        var errors = outcome.Json.GetProperty("findings").EnumerateArray()
            .Where(static f => f.GetProperty("severity").GetString() == "error").ToList();
        errors.Count.ShouldBeGreaterThanOrEqualTo(5);
        errors.ShouldAllBe(static f => f.GetProperty("location")
            .GetString()!.StartsWith("duplex.yaml:", StringComparison.Ordinal));
        errors.Count(static f => f.TryGetProperty("fix", out _)).ShouldBe(errors.Count);
        var tables = await CommandLine.RunAsync("validate", "--config", ConfigPath);
        tables.Code.ShouldBe(2);
        tables.Output.ShouldContain("oracle");
        tables.Output.ShouldContain("api_kei");
        Directory.Exists(Path.Combine(_folder, "data")).ShouldBeFalse("nothing is half done");
    }

    [Theory]
    [InlineData("run")]
    [InlineData("doctor")]
    [InlineData("plan")]
    public async Task A_wrong_configuration_starts_nothing(string verb)
    {
        await File.WriteAllTextAsync(ConfigPath, "connections: { shop: { connector: oracle } }");
        var outcome = await CommandLine.RunAsync(verb, "--config", ConfigPath, "--json");
        outcome.Code.ShouldBe(2, outcome.Output);
        outcome.Json.GetProperty("code").GetString().ShouldBe("config.invalid");
        outcome.Json.GetProperty("findings").GetArrayLength().ShouldBeGreaterThan(0);
        Directory.GetFileSystemEntries(_folder).ShouldBe([ConfigPath]);
    }

    [Fact]
    public async Task A_missing_configuration_is_named_with_the_way_to_make_one()
    {
        var outcome = await CommandLine.RunAsync("run", "--config", ConfigPath, "--json");
        outcome.Code.ShouldBe(2);
        outcome.Json.GetProperty("findings")[0].GetProperty("fix").GetString()!.ShouldContain("duplex init");
    }

    [Theory]
    [InlineData("run", 1)]
    [InlineData("plan", 1)]
    [InlineData("doctor", 2)]
    public async Task A_data_directory_that_cannot_be_one_is_named(string verb, int exitCode)
    {
        await using var account = await StripeSimulator.StartAsync();
        await File.WriteAllTextAsync(
            ConfigPath, RunningServer.Yaml(account.BaseAddress, account.BaseAddress, keys: false));
        await File.WriteAllTextAsync(Path.Combine(_folder, "data"), "a file");
        var outcome = await CommandLine.RunAsync(verb, "--config", ConfigPath, "--json");
        outcome.Code.ShouldBe(exitCode, outcome.Output);
        outcome.Output.ShouldContain(Path.Combine(_folder, "data"));
        outcome.Output.ShouldNotContain("another process");
    }

    [Fact]
    public async Task A_plan_that_cannot_be_made_shows_its_findings_and_no_counts()
    {
        await using var shop = await StripeSimulator.StartAsync();
        await using var billing =
            await StripeSimulator.StartAsync(new StripeSimulatorOptions { ApiKey = "sk_test_another" });
        await File.WriteAllTextAsync(ConfigPath,
            RunningServer.Yaml(shop.BaseAddress, billing.BaseAddress, keys: false));
        var outcome = await CommandLine.RunAsync("plan", "--config", ConfigPath);
        outcome.Code.ShouldBe(2, outcome.Output + outcome.Errors);
        outcome.Output.ShouldContain("error duplex.yaml:");
        outcome.Output.ShouldContain("cannot be planned");
        outcome.Output.ShouldNotContain("records");
    }

    [Fact]
    public async Task Doctor_checks_every_connection_where_no_server_runs()
    {
        await using var shop = await StripeSimulator.StartAsync();
        await using var billing =
            await StripeSimulator.StartAsync(new StripeSimulatorOptions { ApiKey = "sk_test_another" });
        await File.WriteAllTextAsync(ConfigPath,
            RunningServer.Yaml(shop.BaseAddress, billing.BaseAddress, keys: false));
        var outcome = await CommandLine.RunAsync("doctor", "--config", ConfigPath, "--json");
        outcome.Code.ShouldBe(2, outcome.Output);
        var connections = outcome.Json.GetProperty("connections").EnumerateArray().ToDictionary(
            static c => c.GetProperty("name").GetString()!, static c => c.GetProperty("ok").GetBoolean());
        connections.ShouldBe(new Dictionary<string, bool> { ["shop"] = true, ["billing"] = false }, ignoreOrder: true);
    }

    [Fact]
    public async Task Plan_counts_without_a_server_and_writes_nothing()
    {
        await using var shop = await StripeSimulator.StartAsync();
        await using var billing = await StripeSimulator.StartAsync();
        foreach (var name in new[] { "ada", "grace", "emmy" })
        {
            shop.EditOnDashboard("POST", "/v1/customers", $"name={name}&email={name}@example.org");
        }

        billing.EditOnDashboard("POST", "/v1/customers", "name=ada&email=ada@example.org");
        billing.EditOnDashboard("POST", "/v1/customers", "name=alan&email=alan@example.org");
        await File.WriteAllTextAsync(ConfigPath,
            RunningServer.Yaml(shop.BaseAddress, billing.BaseAddress, keys: false));
        var outcome = await CommandLine.RunAsync("plan", "--config", ConfigPath, "--json");
        outcome.Code.ShouldBe(2, outcome.Output + outcome.Errors);
        var plan = outcome.Json;
        plan.GetProperty("link").GetInt64().ShouldBe(1);
        Sides(plan, "records").ShouldBe((3, 2));
        Sides(plan, "create").ShouldBe((1, 2));
        shop.WriteCount.ShouldBe(0);
        billing.WriteCount.ShouldBe(0);
    }

    [Fact]
    public async Task Doctor_finds_a_mapping_that_writes_what_cannot_be_written()
    {
        await using var shop = await StripeSimulator.StartAsync();
        await using var billing = await StripeSimulator.StartAsync();
        await File.WriteAllTextAsync(ConfigPath, RunningServer.Yaml(shop.BaseAddress, billing.BaseAddress, keys: false)
            .Replace("{ a: name, b: name }", "{ a: created, b: name }", StringComparison.Ordinal));
        var outcome = await CommandLine.RunAsync("doctor", "--config", ConfigPath, "--json");
        outcome.Code.ShouldBe(2, outcome.Output);
        var sync = outcome.Json.GetProperty("syncs")[0];
        sync.GetProperty("ok").GetBoolean().ShouldBeFalse();
        sync.GetProperty("findings").EnumerateArray().ShouldContain(static f =>
            f.GetProperty("severity").GetString() == "error"
                && f.GetProperty("path").GetString() == "/syncs/customers/mapping/0");
        (await CommandLine.RunAsync("doctor", "--config", ConfigPath)).Output.ShouldContain("error duplex.yaml:");
    }

    [Fact]
    public async Task Plan_and_doctor_work_beside_the_server_that_runs_on_the_same_configuration()
    {
        var (control, data) = (FreePort.Take(), FreePort.Take());
        await using var shop = await StripeSimulator.StartAsync();
        await using var billing = await StripeSimulator.StartAsync();
        await File.WriteAllTextAsync(ConfigPath, RunningServer.Yaml(shop.BaseAddress, billing.BaseAddress, keys: false)
            .Replace("control_plane: 127.0.0.1:0", $"control_plane: 127.0.0.1:{control}", StringComparison.Ordinal)
            .Replace("data_plane: 127.0.0.1:0", $"data_plane: 127.0.0.1:{data}", StringComparison.Ordinal));
        using var stop = new CancellationTokenSource();
        var server = CommandLine.RunAsync(["run", "--config", ConfigPath, "--json"], stop.Token);
        (await CommandLine.RunAsync("status", "--wait", "180s", "--url", $"http://127.0.0.1:{control}"))
            .Code.ShouldBe(0);

        (await CommandLine.RunAsync("status", "--config", ConfigPath))
            .Code.ShouldBe(0, "the configuration tells where the server is");
        foreach (var verb in new[] { "plan", "doctor" })
        {
            var outcome = await CommandLine.RunAsync(verb, "--config", ConfigPath, "--json");
            outcome.Code.ShouldBe(0, outcome.Output + outcome.Errors);
        }

        var second = await CommandLine.RunAsync("run", "--config", ConfigPath, "--json");
        second.Code.ShouldBe(1);
        second.Json.GetProperty("code").GetString().ShouldBe("storage.fenced");

        var elsewhere = Path.Combine(_folder, "other", "duplex.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(elsewhere)!);
        File.Copy(ConfigPath, elsewhere);
        var taken = await CommandLine.RunAsync("run", "--config", elsewhere, "--json");
        taken.Code.ShouldBe(1, taken.Output);
        taken.Json.GetProperty("fix").GetString()!.ShouldContain("server.control_plane");
        await File.WriteAllTextAsync(elsewhere, (await File.ReadAllTextAsync(elsewhere))
            .Replace($"control_plane: 127.0.0.1:{control}", "control_plane: 127.0.0.1:0", StringComparison.Ordinal));
        var data2 = await CommandLine.RunAsync("run", "--config", elsewhere, "--json");
        data2.Code.ShouldBe(1, data2.Output);
        data2.Json.GetProperty("fix").GetString()!.ShouldContain("server.data_plane");
        billing.EditOnDashboard("POST", "/v1/customers", "name=ada&email=ada@example.org");
        var plan = await CommandLine.RunAsync("plan", "--config", elsewhere, "--json");
        plan.Code.ShouldBe(2, plan.Output);
        Sides(plan.Json, "create").ShouldBe(
            (1, 0), "another data directory has its own plan, whatever server listens where its own would");

        await stop.CancelAsync();
        (await server).Code.ShouldBe(0);
    }

    [Fact]
    public async Task Secrets_are_listed_by_name_and_never_by_value()
    {
        (await CommandLine.RunAsync("secrets", "list", "--config", ConfigPath, "--json")).Json.GetArrayLength()
            .ShouldBe(0);
        using var output = new StringWriter();
        var terminal = new Cli.Terminal(output, output, new StringReader("sk_live_hidden\n"), screen: false);
        (await Cli.DuplexCommand.RunAsync(["secrets", "set", "stripe", "--config", ConfigPath], terminal, default))
            .ShouldBe(0);
        output.ToString().ShouldNotContain("hidden");
        var list = await CommandLine.RunAsync("secrets", "list", "--config", ConfigPath, "--json");
        list.Json[0].GetProperty("name").GetString().ShouldBe("stripe");
        list.Output.ShouldNotContain("hidden");
        foreach (var file in Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories))
        {
            (await File.ReadAllTextAsync(file)).ShouldNotContain("hidden");
        }

        (await CommandLine.RunAsync("secrets", "remove", "stripe", "--config", ConfigPath)).Code.ShouldBe(0);
        (await CommandLine.RunAsync("secrets", "remove", "stripe", "--config", ConfigPath)).Code.ShouldBe(1);
    }

    private static (long A, long B) Sides(JsonElement plan, string name) =>
        (plan.GetProperty(name).GetProperty("a").GetInt64(), plan.GetProperty(name).GetProperty("b").GetInt64());
}
