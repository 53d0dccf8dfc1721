namespace Duplex.Bench.Ingest;

/// <summary>One event per request until it is on disk, beside a bare server that commits the same bodies.</summary>
internal static class IngestBench
{
    private const int Aim = 35_000;

    public static async Task<Measurement> RunAsync(BenchOptions options)
    {
        int count = Math.Max(1, options.Rows / 5);
        List<double> rates = [], floors = [], costs = [], floorCosts = [], clientCosts = [];
        double resident = 0;
        for (int round = 0; round < options.Rounds; round++)
        {
            string directory = Path.Combine(options.DataDirectory, $"ingest-{round}");
            var (floor, floorCost, floorClient, _) = await MeasureAsync("bare", directory + "-bare", count);
            var (rate, cost, client, memory) = await MeasureAsync("duplex", directory, count);
            floors.Add(floor);
            floorCosts.Add(floorCost);
            rates.Add(rate);
            costs.Add(cost);
            clientCosts.Add((client + floorClient) / 2);
            resident = Math.Max(resident, memory);
        }

        double value = Statistics.Median(rates), least = Statistics.Median(floors);
        double micros = Statistics.Median(costs), floorMicros = Statistics.Median(floorCosts);
        double clientMicros = Statistics.Median(clientCosts);
        return new Measurement("POST /sync, one event a request, on disk", "events/s", value, least,
            "bare Kestrel and SQLite group commit of the same bodies", $"{Aim:N0}/s and 0.7 of the floor",
            value >= Aim && value >= 0.7 * least, new Dictionary<string, double>
            {
                ["server, µs of processor time per event"] = micros,
                ["floor, µs of processor time per event"] = floorMicros,
                ["client, µs of processor time per event"] = clientMicros,
                ["events per second that the cores could carry at that cost, client included"] =
                    Environment.ProcessorCount * 1e6 / (micros + clientMicros),
                ["the same of the floor"] = Environment.ProcessorCount * 1e6 / (floorMicros + clientMicros),
                ["connections"] = Posters.Connections,
                ["resident memory, MB"] = resident,
                ["load of the machine, last minute"] = Machine.Load(),
            });
    }

    private static async Task<(double Rate, double Micros, double ClientMicros, double Megabytes)> MeasureAsync(
        string kind, string directory, int count)
    {
        await using var server = await IngestProcess.StartAsync(kind, directory);
        int warmUp = Math.Max(1, count / 4);
        await Posters.RunAsync(server.Port, 1, warmUp);
        double before = server.ProcessorSeconds;
        var (seconds, client) = await Posters.RunAsync(server.Port, warmUp + 1, count);
        double spent = server.ProcessorSeconds - before;
        return (count / seconds, spent * 1e6 / count, client * 1e6 / count, server.ResidentMegabytes);
    }
}
