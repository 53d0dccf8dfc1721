using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Duplex.Simulators.Stripe;

namespace Duplex.Bench.Delivery;

/// <summary>A loop of bare requests in a process of its own: the least that the same creates cost a client.</summary>
internal static class BareClient
{
    /// <summary>The hidden verb by which this program starts itself as the client.</summary>
    public const string Verb = "bare-client-process";

    /// <summary>How many requests are under way at once.</summary>
    public const int Parallel = 64;

    /// <summary>Sends so many creates and returns how the client fared after the first <paramref name="warmUp"/>.</summary>
    public static async Task<Pace> RunAsync(StripeSimulator stripe, int records, int warmUp)
    {
        string[] arguments = [typeof(BareClient).Assembly.Location, Verb, stripe.BaseAddress.ToString(), stripe.ApiKey,
            Text(records), Text(warmUp)];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        if (await process.StandardOutput.ReadLineAsync() != "warm")
            throw new InvalidOperationException("The bare client failed.");
        var simulator = Environment.CpuUsage.TotalTime;
        string? said = await process.StandardOutput.ReadLineAsync();
        double spent = (Environment.CpuUsage.TotalTime - simulator).TotalSeconds;
        await process.WaitForExitAsync();
        double[] figures = JsonSerializer.Deserialize<double[]>(said ?? "[]")!;
        return new Pace(records - warmUp, figures[0], figures[1], spent);
    }

    /// <summary>What the process does.</summary>
    public static async Task<int> HostAsync(string address, string key, int records, int warmUp)
    {
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = Parallel };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(address) };
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {key}");
        await SendAsync(client, 1, warmUp);
        Console.WriteLine("warm");
        long began = Stopwatch.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        await SendAsync(client, warmUp + 1, records - warmUp);
        Console.WriteLine(JsonSerializer.Serialize(new[]
        {
            Stopwatch.GetElapsedTime(began).TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds,
        }));
        return 0;
    }

    private static Task SendAsync(HttpClient client, int first, int count)
    {
        var limits = new ParallelOptions { MaxDegreeOfParallelism = Parallel };
        return System.Threading.Tasks.Parallel.ForEachAsync(Enumerable.Range(first, count), limits, async (i, stop) =>
        {
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["name"] = $"c{Text(i)}",
                ["email"] = $"customer{Text(i)}@example.com",
                ["phone"] = $"+49 30 {Text(i)}",
                ["description"] = $"Customer number {Text(i)}",
                ["metadata[plan]"] = "pro",
            });
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/customers") { Content = form };
            request.Headers.Add("Idempotency-Key", $"floor-{Text(i)}");
            using var response = await client.SendAsync(request, stop);
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync(stop);
        });
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Creates over a stretch of time, with the processor time that they cost on both ends.</summary>
internal sealed record Pace(int Records, double Seconds, double ClientSeconds, double SimulatorSeconds)
{
    public double Rate => Records / Seconds;

    /// <summary>Microseconds of processor time per create at the client.</summary>
    public double ClientMicros => ClientSeconds / Records * 1e6;

    /// <summary>The same at the simulator.</summary>
    public double SimulatorMicros => SimulatorSeconds / Records * 1e6;

    /// <summary>What the machine's cores could carry if they did nothing else.</summary>
    public double Ceiling => Environment.ProcessorCount * 1e6 / (ClientMicros + SimulatorMicros);
}
