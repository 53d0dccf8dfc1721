using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Duplex.Simulators.Postgres;
using Duplex.Simulators.Stripe;
using Duplex.Simulators.Stripe.Limits;
using Npgsql;

namespace Duplex.Bench.Delivery;

/// <summary>A table of customers, an unlimited Stripe simulator that notes when each customer's request arrives, and
/// the configuration that syncs the one into the other.</summary>
internal sealed class CustomerShop : IAsyncDisposable
{
    private const string Create = "POST /v1/customers";

    private readonly ConcurrentDictionary<string, long> _arrivals = new(StringComparer.Ordinal);

    private CustomerShop(PrivatePostgres server, NpgsqlDataSource source) => (Server, Source) = (server, source);

    public PrivatePostgres Server { get; }

    public NpgsqlDataSource Source { get; }

    public StripeSimulator Stripe { get; private set; } = null!;

    /// <summary>When the first request for each name arrived, in <see cref="Stopwatch"/> ticks.</summary>
    public IReadOnlyDictionary<string, long> Arrivals => _arrivals;

    public static async Task<CustomerShop> OpenAsync()
    {
        var server = await PrivatePostgres.StartAsync(new PrivatePostgresOptions { Durable = true });
        var source = NpgsqlDataSource.Create(await server.CreateDatabaseAsync("bench"));
        var shop = new CustomerShop(server, source);
        shop.Stripe = await StripeSimulator.StartAsync(new StripeSimulatorOptions
        {
            Limits = StripeLimits.None,
            RequestRead = shop.Note,
        });
        await shop.ExecuteAsync("""
            CREATE TABLE customers (
              id bigint PRIMARY KEY, email text NOT NULL, name text NOT NULL, phone text, description text, plan text,
              balance numeric(12,2) NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), active boolean, visits integer)
            """);
        return shop;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    public Task InsertAsync(int from, int count) => ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
        INSERT INTO customers (id, email, name, phone, description, plan, balance, active, visits)
        SELECT i, 'customer' || i || '@example.com', 'c' || i, '+49 30 ' || i, 'Customer number ' || i, 'pro', i % 1000, true, i
        FROM generate_series({from}, {from + count - 1}) i
        """));

    public string Yaml(string directory) => string.Create(CultureInfo.InvariantCulture, $$"""
        data: {{Path.Combine(directory, "data")}}
        connections:
          shop: { connector: postgres, host: 127.0.0.1, port: {{Server.Port}}, database: bench, username: {{Server.Username}},
                  password: {{Server.Password}} }
          billing: { connector: stripe, api_key: {{Stripe.ApiKey}}, base_url: "{{Stripe.BaseAddress}}",
                     requests_per_second: 0, requests_per_operation: 0 }
        syncs:
          customers:
            a: { connection: shop, stream: public.customers }
            b: { connection: billing, stream: customers }
            direction: a_to_b
            mapping:
              - { a: name, b: name }
              - { a: email, b: email }
              - { a: phone, b: phone }
              - { a: description, b: description }
              - { a: plan, b: metadata.plan }
        """);

    /// <summary>Waits until the number of customers have arrived.</summary>
    public async Task WaitForAsync(int arrivals, TimeSpan within)
    {
        long began = Stopwatch.GetTimestamp();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (_arrivals.Count < arrivals)
        {
            if (Stopwatch.GetElapsedTime(began) > within)
                throw new TimeoutException($"{_arrivals.Count} of {arrivals} customers arrived within {within}.");
            await pace.WaitForNextTickAsync();
        }
    }

    public void Forget() => _arrivals.Clear();

    public async ValueTask DisposeAsync()
    {
        await Stripe.DisposeAsync();
        await Source.DisposeAsync();
        await Server.DisposeAsync();
    }

    private void Note(string operation, Func<string, string?> parameter)
    {
        if (operation == Create && parameter("name") is { } name)
            _arrivals.TryAdd(name, Stopwatch.GetTimestamp());
    }
}
