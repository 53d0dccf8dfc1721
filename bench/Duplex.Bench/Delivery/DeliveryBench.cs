using System.Diagnostics;
using System.Globalization;

namespace Duplex.Bench.Delivery;

/// <summary>
/// A table full of customers that Stripe does not have: snapshot, log, decision, intent, request and record of each.
/// The floor sends the same requests from a bare loop. Both are counted after a fifth of the records, when the code is
/// compiled.
/// </summary>
internal static class DeliveryBench
{
    public static async Task<IReadOnlyList<Measurement>> RunAsync(BenchOptions options)
    {
        int records = Math.Max(1000, options.Rows / 10), warmUp = records / 5;
        List<Pace> paces = [], floors = [];
        List<MemoryCost> costs = [];
        List<double> peaks = [];
        for (int round = 0; round < options.Rounds; round++)
        {
            string directory = Path.Combine(options.DataDirectory, $"delivery-{round}");
            await using var shop = await CustomerShop.OpenAsync();
            await shop.InsertAsync(1, records);
            floors.Add(await BareClient.RunAsync(shop.Stripe, records, warmUp));
            shop.Stripe.Reset();
            shop.Forget();

            await using var engine = await EngineProcess.StartAsync(directory, shop.Yaml(directory));
            paces.Add(await PaceAsync(shop, engine, records, warmUp));
            peaks.Add(engine.ResidentPeak());
            costs.Add(await engine.EndAsync());
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"delivery: round {round + 1}, {paces[^1].Rate:N0}/s, floor {floors[^1].Rate:N0}/s, peak {peaks[^1]:N0} MB"));
        }

        double rate = Statistics.Median(paces.Select(static p => p.Rate)), peak = Statistics.Median(peaks);
        return
        [
            new Measurement("Creates at the unlimited Stripe simulator", "records/s", rate,
                Statistics.Median(floors.Select(static f => f.Rate)),
                $"bare HttpClient loop, {BareClient.Parallel} at once", "at least 8,000/s with a single-record API",
                rate >= 8000, Details(records, paces, floors, costs)),
            new Measurement("Resident memory at its peak, same run", "MB", peak, null, null,
                "at most 300 MB resident with any backlog", peak <= 300, new Dictionary<string, double>()),
        ];
    }

    private static Dictionary<string, double> Details(
        int records, List<Pace> paces, List<Pace> floors, List<MemoryCost> costs)
    {
        static double Of(List<Pace> paces, Func<Pace, double> figure) => Statistics.Median(paces.Select(figure));
        return new Dictionary<string, double>
        {
            ["records"] = records,
            ["engine, µs of processor time per create"] = Of(paces, static p => p.ClientMicros),
            ["simulator, µs of processor time per create"] = Of(paces, static p => p.SimulatorMicros),
            ["floor: bare client, µs of processor time per create"] = Of(floors, static p => p.ClientMicros),
            ["floor: simulator, µs of processor time per create"] = Of(floors, static p => p.SimulatorMicros),
            ["records/s that the cores carry at these costs"] = Of(paces, static p => p.Ceiling),
            ["floor: records/s that the cores carry"] = Of(floors, static p => p.Ceiling),
            ["engine, bytes allocated per create, start and end included"] =
                Statistics.Median(costs.Select(c => (double)c.Bytes / records)),
            ["engine, collections of the youngest generation"] = Statistics.Median(costs.Select(static c => (double)c.Young)),
            ["engine, collections of all generations"] = Statistics.Median(costs.Select(static c => (double)c.Old)),
            ["engine, ms in collections' pauses"] = Statistics.Median(costs.Select(static c => c.PauseMilliseconds)),
            ["load of the machine, last minute"] = Machine.Load(),
        };
    }

    private static async Task<Pace> PaceAsync(CustomerShop shop, EngineProcess engine, int records, int warmUp)
    {
        await shop.WaitForAsync(warmUp, TimeSpan.FromMinutes(5));
        int first = shop.Arrivals.Count;
        long began = Stopwatch.GetTimestamp();
        double client = engine.ProcessorSeconds();
        var simulator = Environment.CpuUsage.TotalTime;
        await shop.WaitForAsync(records, TimeSpan.FromMinutes(10));
        return new Pace(records - first, Stopwatch.GetElapsedTime(began).TotalSeconds,
            engine.ProcessorSeconds() - client, (Environment.CpuUsage.TotalTime - simulator).TotalSeconds);
    }
}
