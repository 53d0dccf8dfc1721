using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class DurabilityTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("duplex-stripe-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_killed_simulator_comes_back_with_objects_events_keys_and_webhook_secrets()
    {
        string id;
        JsonArray events;
        using (var process = await RunningSimulator.StartAsync("--data", folder, "--unlimited"))
        {
            using var stripe = process.Caller();
            id = (await stripe.PostAsync("/v1/customers", "name=A", "k1")).Text("id");
            await stripe.PostAsync("/v1/customers/" + id, "name=B", "k2");
            var gone = await stripe.CreateAsync("/v1/customers", "name=C");
            await stripe.DeleteAsync("/v1/customers/" + gone);
            events = (await stripe.GetAsync("/v1/events")).Data;
            process.Kill();
        }

        using (var process = await RunningSimulator.StartAsync("--data", folder, "--unlimited"))
        {
            using var stripe = process.Caller();
            (await stripe.GetAsync("/v1/customers")).Data.Count.ShouldBe(1);
            (await stripe.GetAsync("/v1/customers/" + id)).Text("name").ShouldBe("B");
            var replayed = await stripe.PostAsync("/v1/customers", "name=A", "k1");
            replayed.Text("id").ShouldBe(id);
            replayed.Header("Idempotent-Replayed").ShouldBe("true");
            JsonNode.DeepEquals((await stripe.GetAsync("/v1/events")).Data, events).ShouldBeTrue();
            var next = await stripe.PostAsync("/v1/customers", "name=D");
            next.Text("id").ShouldNotBe(id);
            process.Kill();
        }
    }

    [Fact]
    public async Task A_line_that_was_cut_off_is_dropped_and_the_rest_stands()
    {
        var options = new StripeSimulatorOptions { DataFolder = folder };
        string id;
        await using (var simulator = await StripeSimulator.StartAsync(options))
        {
            using var stripe = new StripeCaller(simulator);
            id = await stripe.CreateAsync("/v1/customers", "name=A");
            simulator.AddWebhook(new Uri("http://127.0.0.1:9/"), ["whsec_a", "whsec_b"]);
        }

        var journal = Path.Combine(folder, "journal.ndjson");
        await File.AppendAllTextAsync(journal, "{\"ids\":9,\"objects\":[{\"type\":\"custo");
        for (var start = 0; start < 2; start++)
        {
            await using var simulator = await StripeSimulator.StartAsync(options);
            using var stripe = new StripeCaller(simulator);
            (await stripe.GetAsync("/v1/customers/" + id)).Text("name").ShouldBe("A");
            await stripe.CreateAsync("/v1/customers", "name=B");
            var endpoint = (await stripe.GetAsync("/v1/webhook_endpoints")).Data[0]!["id"]!.GetValue<string>();
            simulator.SecretsOf(endpoint).ShouldBe(["whsec_a", "whsec_b"]);
        }

        await using var last = await StripeSimulator.StartAsync(options);
        last.Objects("customers").Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_second_process_cannot_use_the_same_folder()
    {
        var options = new StripeSimulatorOptions { DataFolder = folder };
        await using var first = await StripeSimulator.StartAsync(options);
        await Should.ThrowAsync<IOException>(() => StripeSimulator.StartAsync(options));
    }
}

/// <summary>The simulator's own program, run as a process of its own.</summary>
internal sealed class RunningSimulator : IDisposable
{
    private readonly Process process;

    private RunningSimulator(Process process, Uri address)
    {
        this.process = process;
        Address = address;
    }

    public Uri Address { get; }

    public static async Task<RunningSimulator> StartAsync(params string[] arguments)
    {
        var program = typeof(StripeSimulator).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", ["exec", program, "--port", "0", .. arguments])
        {
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var line = await process.StandardOutput.ReadLineAsync(deadline.Token);
        line.ShouldNotBeNull();
        return new RunningSimulator(process, new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..]));
    }

    public StripeCaller Caller() => new(Address, "sk_test_duplex");

    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            Kill();
        }

        process.Dispose();
    }
}
