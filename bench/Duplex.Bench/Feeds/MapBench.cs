using System.Text;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Bench.Feeds;

/// <summary>
/// What it costs to make a customer's record of a change that is in memory, from the row's text to checked output, beside reading the
/// same row token by token and writing it again.
/// </summary>
internal static class MapBench
{
    private const double BudgetNanoseconds = 2_000;
    private const int BatchRecords = 20_000;
    private const string Example = "examples/multi-customer/duplex.yaml";

    private static readonly (string Customer, string Table, string Row)[] Seeds =
    [
        ("customer-a", "users", """{"id":1,"name":"Ash Ketchup","email":"ash.ketchup@pokemon.com","created_at":"2025-07-19T10:00:00Z"}"""),
        ("customer-a", "tickets", """{"ticket_id":"TKT-1001","title":"Task 1","status":"Open","assignee_id":1,"priority":"High"}"""),
        ("customer-b", "users", """{"id":1,"name":"Ash Ketchup","email":"ash.ketchup@pokemon.com","created_at":"2025-07-19T10:00:00Z"}"""),
        ("customer-b", "tickets", """{"ticket_id":"TKT-1001","title":"Task 1","status":"Open","assignee_id":1,"priority":"High"}"""),
        ("customer-b", "orders", """{"order_id":"ORD-1001","user_id":1,"amount":10,"currency":"USD","status":"pending"}"""),
    ];

    public static IEnumerable<Measurement> Run(BenchOptions options)
    {
        var ten = FeedBench.Customer();
        var batch = Enumerable.Range(0, BatchRecords).Select(FeedBench.Change).ToArray();
        yield return Measure(options, "ten fields", ten, FeedBench.Topic, i => batch[i].After!.Utf8);
        var customers = Load();
        foreach (var (customer, table, row) in Seeds)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(row);
            yield return Measure(options, $"{table} of {customer}", customers[customer], table, _ => utf8);
        }
    }

    private static Measurement Measure(
        BenchOptions options, string name, CustomerModel customer, string table, Func<int, ReadOnlyMemory<byte>> row)
    {
        var model = customer.Tables[table];
        byte[] key = "[\"1\"]"u8.ToArray();
        using var transform = new FeedTransform();
        var (nanoseconds, bytes) = Rounds(options, Changes, (change, i) =>
        {
            if (transform.Run(change, key, i, customer, model, TimeProvider.System).Item is null)
                throw new InvalidOperationException($"{name}: nothing came of the record.");
            if (i % 512 == 0)
                transform.Clear();
        });
        using var copy = new JsonCopy();
        var (floor, _) = Rounds(options, Changes, (change, _) => copy.Run(change.After!.Utf8.Span));
        return new Measurement($"map and validate: {name}", "ns", nanoseconds, floor, "reading and writing the row",
            "at most 2,000 ns", nanoseconds <= BudgetNanoseconds, new Dictionary<string, double>
            {
                ["allocated per record, bytes"] = bytes,
                ["load of the machine"] = Machine.Load(),
            });

        Change[] Changes() => [.. Enumerable.Range(0, BatchRecords).Select(i => new Change
        {
            Operation = ChangeOperation.Update,
            Stream = table,
            Key = RecordKey.Of("1"),
            KeyFields = new Record("""{"id":1,"ticket_id":"TKT-1001","order_id":"ORD-1001"}"""u8.ToArray()),
            After = new Record(row(i)),
            SourceMicros = 1_767_225_600_000_000 + i,
        })];
    }

    /// <summary>Processor time and bytes per record; each round has records that nothing has looked at yet.</summary>
    private static (double Nanoseconds, double Bytes) Rounds(
        BenchOptions options, Func<Change[]> make, Action<Change, int> once)
    {
        const int repeats = 5;
        List<double> rounds = [];
        double bytes = 0;
        // The first rounds are for the compiler.
        for (int round = 0; round < (options.Rounds + 3) * repeats; round++)
        {
            var changes = make();
            GC.Collect();
            long before = GC.GetAllocatedBytesForCurrentThread();
            var started = Environment.CpuUsage.TotalTime;
            for (int i = 0; i < changes.Length; i++)
                once(changes[i], i);
            // Processor time: others may use the machine meanwhile.
            double elapsed = (Environment.CpuUsage.TotalTime - started).TotalNanoseconds;
            bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / changes.Length;
            if (round >= 3 * repeats)
                rounds.Add(elapsed / changes.Length);
        }

        return (Statistics.Median(rounds), Math.Round(bytes, 1));
    }

    private static IReadOnlyDictionary<string, CustomerModel> Load()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Duplex.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"{Example} is not found.");
        var result = ConfigLoader.LoadFile(Path.Combine(folder, Example), new ConfigSources { Connectors = [] });
        return result.Model?.Customers ?? throw new InvalidOperationException(string.Join(' ', result.Findings));
    }
}
