using System.Globalization;
using System.Net;
using System.Text;

namespace Duplex.EndToEnd.Tests;

/// <summary>
/// A real server with two customers, and many clients that post to it. Each client has keys of its own and posts the versions of
/// each in order; what was not answered 200 it posts again under the same id. More with <c>DUPLEX_POST_RECORDS</c>,
/// <c>DUPLEX_POST_KILLS</c> and <c>DUPLEX_POST_CLIENTS</c>.
/// </summary>
internal sealed class PostLoad : IAsyncDisposable
{
    private const int KeysPerClient = 97;
    private const int ClientKeys = 1000;

    private readonly string _folder = Directory.CreateTempSubdirectory("duplex-post-").FullName;
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(10 + (Records / 20_000)));
    private volatile int _allowed;
    private int _answered;
    private int _repeated;

    /// <param name="log">The <c>log</c> section of the configuration; empty for the data directory.</param>
    /// <param name="push">Further members of customer B.</param>
    public PostLoad(string log, string push = "")
    {
        WriteCustomers();
        Server = new ServerProcess(_folder, section => $$"""
            data: ./data
            {{log}}
            {{section}}
            ingest: { schemas: ./schemas }
            customers:
              customer-a: { tables: [ users ], start: earliest }
              customer-b: { tables: [ users ], start: earliest{{push}} }
            """);
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5) })
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Server.DataPort}")),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    public static int Records { get; } = Number("DUPLEX_POST_RECORDS", 4000);

    public static int Kills { get; } = Number("DUPLEX_POST_KILLS", 4);

    public static int Clients { get; } = Math.Min(Number("DUPLEX_POST_CLIENTS", 8), 900);

    public ServerProcess Server { get; }

    /// <summary>Posts that were not answered 200 and were posted again.</summary>
    public int Repeated => Volatile.Read(ref _repeated);

    /// <summary>Posts every record, and disturbs so often, evenly spread. What is still to be posted waits for a disturbance
    /// that is late.</summary>
    public async Task RunAsync(int times, Func<int, Task> disturb)
    {
        Server.Start();
        _allowed = Allowed(1, times);
        var clients = Enumerable.Range(0, Clients).Select(PostAllAsync).ToList();
        for (var n = 1; n <= times; n++)
        {
            var enough = (int)((long)Records * n / (times + 1));
            try
            {
                await UntilAsync(() => Volatile.Read(ref _answered) >= enough || Server.HasExited
                    || clients.Exists(static c => c.IsFaulted));
            }
            catch (OperationCanceledException e)
            {
                throw new TimeoutException(
                    $"{_answered} of {Records} are answered, {Repeated} were sent again, before disturbance {n}.\n{Server.Said}", e);
            }

            Server.HasExited.ShouldBeFalse(Server.Said);
            _allowed = Allowed(n + 1, times);
            await disturb(n);
        }

        await Task.WhenAll(clients);
    }

    /// <summary>Kills the server and starts it again.</summary>
    public async Task KillServerAsync()
    {
        await Server.KillAsync();
        Server.Start();
    }

    /// <summary>Reads the feeds of both customers and compares them with what was posted.</summary>
    public async Task CheckAsync()
    {
        foreach (var customer in new[] { "customer-a", "customer-b" })
        {
            var check = new FeedCheck(customer, Records);
            while (check.Count < Records)
            {
                using var page = System.Text.Json.JsonDocument.Parse(await _http.GetStreamAsync(new Uri(string.Create(
                    CultureInfo.InvariantCulture, $"/feed/{customer}?offset={check.Count}&limit=1000&wait=5"), UriKind.Relative),
                    _patience.Token));
                foreach (var record in page.RootElement.GetProperty("records").EnumerateArray())
                {
                    check.Add(record);
                }
            }

            check.Complete();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _http.Dispose();
        _patience.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>How many records may be answered before the given disturbance has begun.</summary>
    private static int Allowed(int disturbance, int times) =>
        disturbance > times ? int.MaxValue : (int)((long)Records * ((2 * disturbance) + 1) / (2 * (times + 1)));

    private async Task PostAllAsync(int client)
    {
        for (var n = client; n < Records; n += Clients)
        {
            await UntilAsync(() => Volatile.Read(ref _answered) < _allowed);
            var id = (client * ClientKeys) + (n / Clients % KeysPerClient);
            var body = string.Create(CultureInfo.InvariantCulture, $$$"""
                {"event_type":"UPDATE","event_id":"e{{{n}}}","table":"users","primary_key":{"id":{{{id}}}},
                 "before":{},"after":{"id":{{{id}}},"name":"{{{n:D9}}}"}}
                """);
            while (!await TryAsync(body))
            {
                Interlocked.Increment(ref _repeated);
                using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
                await tick.WaitForNextTickAsync(_patience.Token);
            }

            Interlocked.Increment(ref _answered);
        }
    }

    private async Task<bool> TryAsync(string body)
    {
        try
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await _http.PostAsync("/sync", content, _patience.Token);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                ((int)answer.StatusCode).ShouldBeGreaterThanOrEqualTo(429, await answer.Content.ReadAsStringAsync(_patience.Token));
            }

            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !_patience.IsCancellationRequested))
        {
            return false;
        }
    }

    private void WriteCustomers()
    {
        void Put(string path, string text)
        {
            var file = Path.Combine(_folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        Put("schemas/internal/users.json", """
            {"type":"object","required":["event_type","table","primary_key"],
             "properties":{"after":{"type":"object","properties":{"id":{"type":"integer"}}}}}
            """);
        Put("schemas/external/customer-a/users.json", """
            {"type":"object","required":["id","fullName"],"additionalProperties":false,
             "properties":{"id":{"type":"integer"},"fullName":{"type":"string"}}}
            """);
        Put("mappings/global/users.yaml", "rules: [ { a: id, b: id }, { a: name, b: fullName } ]");
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        if (condition())
        {
            return;
        }

        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            await tick.WaitForNextTickAsync(_patience.Token);
        }
    }

    private static int Number(string name, int fallback) => int.TryParse(
        Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : fallback;
}
