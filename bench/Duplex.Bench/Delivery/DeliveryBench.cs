using System.Diagnostics;
using System.Globalization;
using Duplex.Simulators.Stripe;

namespace Duplex.Bench.Delivery;

/// <summary>
/// A table full of customers that Stripe does not have: snapshot, log, decision, intent, request and record of each.
/// The floor sends the same requests from a bare loop.
/// </summary>
internal static class DeliveryBench
{
    private const int Parallel = 64;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(BenchOptions options)
    {
        int records = Math.Max(1000, options.Rows / 10);
        List<double> rates = [], floors = [], peaks = [], cores = [];
        for (int round = 0; round < options.Rounds; round++)
        {
            string directory = Path.Combine(options.DataDirectory, $"delivery-{round}");
            await using var shop = await CustomerShop.OpenAsync();
            await shop.InsertAsync(1, records);
            floors.Add(await FloorAsync(shop.Stripe, records));
            shop.Stripe.Reset();
            shop.Forget();

            await using var engine = await EngineProcess.StartAsync(directory, shop.Yaml(directory));
            await shop.WaitForAsync(1, TimeSpan.FromMinutes(2));
            double processor = engine.ProcessorSeconds();
            await shop.WaitForAsync(records, TimeSpan.FromMinutes(10));
            double seconds =
                Stopwatch.GetElapsedTime(shop.Arrivals.Values.Min(), shop.Arrivals.Values.Max()).TotalSeconds;
            rates.Add(records / seconds);
            cores.Add((engine.ProcessorSeconds() - processor) / seconds);
            peaks.Add(engine.ResidentPeak());
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"delivery: round {round + 1}, {rates[^1]:N0}/s, floor {floors[^1]:N0}/s, peak {peaks[^1]:N0} MB"));
        }

        double rate = Statistics.Median(rates), peak = Statistics.Median(peaks);
        return
        [
            new Measurement("Creates at the unlimited Stripe simulator", "records/s", rate, Statistics.Median(floors),
                $"bare HttpClient loop, {Parallel} at once", "at least 8,000/s with a single-record API", rate >= 8000,
                new Dictionary<string, double>
                {
                    ["records"] = records,
                    ["cores used by the engine"] = Statistics.Median(cores),
                }),
            new Measurement("Resident memory at its peak, same run", "MB", peak, null, null,
                "at most 300 MB resident with any backlog", peak <= 300, new Dictionary<string, double>()),
        ];
    }

    private static async Task<double> FloorAsync(StripeSimulator stripe, int records)
    {
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = Parallel };
        using var client = new HttpClient(handler) { BaseAddress = stripe.BaseAddress };
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {stripe.ApiKey}");
        long began = Stopwatch.GetTimestamp();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = Parallel };
        await System.Threading.Tasks.Parallel.ForEachAsync(Enumerable.Range(1, records), limits, async (i, stop) =>
        {
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["name"] = string.Create(CultureInfo.InvariantCulture, $"c{i}"),
                ["email"] = string.Create(CultureInfo.InvariantCulture, $"customer{i}@example.com"),
                ["phone"] = string.Create(CultureInfo.InvariantCulture, $"+49 30 {i}"),
                ["description"] = string.Create(CultureInfo.InvariantCulture, $"Customer number {i}"),
                ["metadata[plan]"] = "pro",
            });
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/customers") { Content = form };
            request.Headers.Add("Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"floor-{i}"));
            using var response = await client.SendAsync(request, stop);
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync(stop);
        });
        return records / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
