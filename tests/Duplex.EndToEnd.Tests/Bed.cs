using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Duplex.Connectors.Postgres;
using Duplex.Connectors.Stripe;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Simulators.Postgres;
using Duplex.Simulators.Stripe;
using Duplex.Simulators.Stripe.Limits;
using Duplex.Storage.Embedded;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Duplex.EndToEnd.Tests;

/// <summary>
/// A PostgreSQL database with customers, a Stripe account with customers, and an engine between them on embedded
/// stores. The engine can be stopped and started again on the same data.
/// </summary>
internal sealed class Bed : IAsyncDisposable
{
    private const int FreshToBelieve = 5;
    private const int PollsToBelieve = 2;
    private static readonly TimeSpan StillToBelieve = TimeSpan.FromSeconds(1.2);

    private readonly string _data;
    private readonly bool _shares;
    private readonly WebApplication _web;
    private readonly string _connectionString;
    private IChangeLog? _log;
    private EmbeddedStateStore? _store;
    private bool _closed;

    private Bed(BedOptions options, PrivatePostgres postgres, StripeSimulator stripe, string connectionString,
        WebApplication web)
    {
        _data = options.Data ?? Directory.CreateTempSubdirectory("duplex-e2e-").FullName;
        _shares = options.Postgres is not null;
        Postgres = postgres;
        Stripe = stripe;
        Sql = NpgsqlDataSource.Create(connectionString);
        _connectionString = connectionString;
        _web = web;
    }

    public PrivatePostgres Postgres { get; }

    public StripeSimulator Stripe { get; }

    public NpgsqlDataSource Sql { get; }

    /// <summary>Whether the engine runs in a process of its own.</summary>
    public bool RunsOutside { get; set; }

    /// <summary>The data directory.</summary>
    public string Data => _data;

    public SyncEngine Engine { get; private set; } = null!;

    /// <summary>What was asked of the stores of the engine that is prepared next; null to count nothing.</summary>
    public CallCounts? Calls { get; set; }

    /// <summary>Opens another log than the one of the data directory; null for that.</summary>
    public Func<Task<IChangeLog>>? OpenLog { get; set; }

    /// <summary>The <c>log</c> section of the configuration, for a server of its own; empty for the data directory.</summary>
    public string LogSection { get; set; } = "";

    /// <summary>More settings of the PostgreSQL connection, such as <c>heartbeat: 1s</c>.</summary>
    public string ShopSettings { get; set; } = "";

    /// <summary>What the sync section of the configuration says beside its two sides.</summary>
    public string SyncSettings { get; set; } = """
            direction: two_way
            match: [ { a: email, b: email } ]
            mapping:
              - { a: name,        b: name }
              - { a: email,       b: email, via: lowercase }
              - { a: phone,       b: phone }
              - { a: balance_eur, b: balance, via: { minor_units: 2 } }
              - { a: plan,        b: metadata.plan, via: { enum: { free: F, pro: P } } }
            conflict: { default: latest }
            deletes: { a: propagate, b: propagate, brake: 0 }
        """;

    public static Task<Bed> CreateAsync(StripeLimits? limits = null) =>
        CreateAsync(new BedOptions { Limits = limits });

    public static async Task<Bed> CreateAsync(BedOptions options)
    {
        Skip.If(PrivatePostgres.Unavailable is not null && Environment.GetEnvironmentVariable("CI") != "true",
            PrivatePostgres.Unavailable);
        var postgres = options.Postgres ?? await PrivatePostgres.StartAsync();
        var connectionString = await postgres.CreateDatabaseAsync(options.Postgres is null ? "shop" : null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        Bed? bed = null;
        web.MapPost("/webhook", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            if (bed?.Engine is not { } engine)
            {
                // A server of its own takes the webhooks, or none does yet.
                return Results.StatusCode(bed?.RunsOutside == true ? 200 : 503);
            }

            var (status, reason) = await engine.ReceiveWebhookAsync("acme", "billing",
                new WebhookDelivery(body.ToArray(), name => context.Request.Headers[name]), context.RequestAborted);
            return Results.Text(reason ?? "", statusCode: status);
        });
        await web.StartAsync();
        var stripe = await StripeSimulator.StartAsync(new StripeSimulatorOptions
        {
            WebhookUrl = new Uri($"{web.Urls.First()}/webhook"),
            WebhookSecrets = ["whsec_test"],
            Limits = options.Limits ?? StripeLimits.None,
        });
        bed = new Bed(options, postgres, stripe, connectionString, web);
        await bed.ExecuteAsync("""
            create table customers (
                id bigint generated by default as identity primary key,
                name text, email text unique, phone text, plan text, balance_eur numeric(12,2) default 0, note text);
            alter table customers replica identity full;
            """);
        return bed;
    }

    public async Task StartAsync()
    {
        await PrepareAsync();
        await Engine.StartAsync(CancellationToken.None);
    }

    /// <summary>Opens the stores and makes the engine without starting it.</summary>
    public async Task PrepareAsync()
    {
        var result = ConfigLoader.Load(Yaml(), Path.Combine(_data, "duplex.yaml"),
            new ConfigSources { Connectors = [new PostgresConnector(), new StripeConnector()] });
        result.Findings.Where(f => f.Severity == FindingSeverity.Error).ShouldBeEmpty();
        _log = OpenLog is null ? await EmbeddedChangeLog.OpenAsync(_data) : await OpenLog();
        _store = await EmbeddedStateStore.OpenAsync(_data);
        _closed = false;
        Engine = new SyncEngine(new EngineParts(
            result.Model!, CallCounts.Count(_log, Calls), CallCounts.Count<IStateStore>(_store, Calls),
            new RateBudget(TimeProvider.System), TimeProvider.System, Loggers()));
    }

    /// <summary>The configuration file.</summary>
    public string Yaml(string server = "")
    {
        var parts = new NpgsqlConnectionStringBuilder(_connectionString);
        return $"""
            data: {_data}
            {LogSection}
            {server}
            connections:
              shop:
                connector: postgres
                tenant: acme
                host: 127.0.0.1
                port: {parts.Port.ToString(CultureInfo.InvariantCulture)}
                database: {parts.Database}
                username: {parts.Username}
                password: "{parts.Password}"
                {ShopSettings}
              billing:
                connector: stripe
                tenant: acme
                api_key: {Stripe.ApiKey}
                base_url: {Stripe.BaseAddress}
                webhook_secret: whsec_test
                requests_per_second: 0
                requests_per_operation: 0
                poll_interval: 500ms
            syncs:
              customers:
                a: {"{ connection: shop, stream: public.customers }"}
                b: {"{ connection: billing, stream: customers }"}
            {SyncSettings}
            """;
    }

    public async Task StopAsync()
    {
        await Engine.StopAsync(CancellationToken.None);
        await Engine.DisposeAsync();
        await _log!.DisposeAsync();
        await _store!.DisposeAsync();
        _closed = true;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Sql.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of every row, as text.</summary>
    public async Task<List<string>> QueryAsync(string sql)
    {
        await using var command = Sql.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(reader.IsDBNull(0) ? "" : Convert.ToString(reader.GetValue(0), CultureInfo.InvariantCulture)!);
        }

        return rows;
    }

    public List<JsonElement> StripeCustomers() =>
        [.. Stripe.Objects("customers").Select(static o => JsonElement.Parse(o))];

    public JsonElement StripeCustomer(string email) =>
        StripeCustomers().Single(c => c.GetProperty("email").GetString() == email);

    public bool StripeHas(string email) =>
        StripeCustomers().Exists(c => c.GetProperty("email").GetString() == email);

    /// <summary>Waits for a condition; tells what the engine says when it does not come.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition, string what, int seconds = 180)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"Not within {seconds} s: {what}\n{await DescribeAsync()}");
            }

            await tick.WaitForNextTickAsync();
        }
    }

    public Task UntilAsync(Func<bool> condition, string what, int seconds = 180) =>
        UntilAsync(() => Task.FromResult(condition()), what, seconds);

    public Task ReadyAsync() =>
        UntilAsync(async () => (await Engine.StatusAsync(default)) is { Ready: true } s
            && s.Syncs.All(x => x.State == RunState.Running),
            "the engine is ready");

    /// <summary>
    /// Waits until nothing is behind, pending or written any more. A status may be a second old, and what webhooks did not tell comes
    /// with a poll: only what several fresh ones say, while the account was polled as well, is believed.
    /// </summary>
    public async Task QuietAsync(int seconds = 180)
    {
        EngineStatus? last = null;
        var (activity, since, polledFrom, fresh) = (-1L, 0L, 0L, 0);
        await UntilAsync(async () =>
        {
            var status = await Engine.StatusAsync(default);
            if (ReferenceEquals(status, last))
            {
                return false;
            }

            last = status;
            var legs = status.Syncs.SelectMany(static s => s.Legs).ToList();
            var now = legs.Sum(static l => l.Written) + Stripe.WriteCount + Stripe.EventCount;
            if (!legs.TrueForAll(static l => l.Behind == 0 && l.Pending == 0) || Stripe.PendingWebhooks > 0 || now != activity)
            {
                (activity, since, polledFrom, fresh) = (now, Stopwatch.GetTimestamp(), Stripe.RequestCount, 0);
                return false;
            }

            fresh++;
            return fresh >= FreshToBelieve && Stripe.RequestCount >= polledFrom + PollsToBelieve
                && Stopwatch.GetElapsedTime(since) > StillToBelieve;
        }, "quiet", seconds);
    }

    public async ValueTask DisposeAsync()
    {
        if (Engine is not null && !_closed)
        {
            await StopAsync();
        }

        await _web.DisposeAsync();
        await Stripe.DisposeAsync();
        if (_shares)
        {
            await LeavePostgresAsync();
        }

        await Sql.DisposeAsync();
        if (!_shares)
        {
            await Postgres.DisposeAsync();
        }

        Directory.Delete(_data, recursive: true);
    }

    /// <summary>Drops the slots, so that they hold no log back for the tests that follow.</summary>
    private async Task LeavePostgresAsync()
    {
        Sql.Clear();
        await UntilAsync(async () =>
        {
            await ExecuteAsync("""
                select pg_drop_replication_slot(slot_name) from pg_replication_slots
                where database = current_database() and not active
                """);
            return (await QueryAsync(
                "select slot_name from pg_replication_slots where database = current_database()")).Count == 0;
        }, "the slots are gone");
    }

    private async Task<string> DescribeAsync()
    {
        if (Engine is null || _closed)
        {
            return "";
        }

        var status = await Engine.StatusAsync(default);
        var letters = await _store!.ListDeadLettersAsync(null, 0, 5, default);
        return string.Join('\n',
            status.NotReadyBecause.Concat(status.Syncs.SelectMany(static s => s.Legs).Select(static l => l.ToString()))
            .Concat(status.Connections.Select(static c => c.ToString()))
            .Concat(letters.Select(static l => $"dead: {l.Leg} {l.Key} {l.Error}")));
    }

    private static ILoggerFactory Loggers() =>
        Environment.GetEnvironmentVariable("DUPLEX_TEST_LOG") is null
            ? NullLoggerFactory.Instance
            : LoggerFactory.Create(static b => b.AddSimpleConsole().SetMinimumLevel(LogLevel.Debug));
}
