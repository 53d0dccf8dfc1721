using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Npgsql.Replication.PgOutput.Messages;

namespace Duplex.Bench.Delivery;

/// <summary>The least that could carry a commit to the sink: the replication stream in, one request per row
/// out.</summary>
internal sealed class BareForwarder : IAsyncDisposable
{
    /// <summary>Its slot and its publication.</summary>
    public const string Name = "bench_floor";

    private readonly CancellationTokenSource _stop = new();
    private readonly LogicalReplicationConnection _connection;
    private readonly HttpClient _client;
    private readonly Task _running;
    private bool _disposed;

    private BareForwarder(LogicalReplicationConnection connection, HttpClient client)
    {
        (_connection, _client) = (connection, client);
        _running = Task.Run(RunAsync);
    }

    public static async Task<BareForwarder> StartAsync(CustomerShop shop)
    {
        await shop.ExecuteAsync($"CREATE PUBLICATION {Name} FOR TABLE customers");
        await shop.ExecuteAsync($"SELECT pg_create_logical_replication_slot('{Name}', 'pgoutput')");
        var connection = new LogicalReplicationConnection(
            new NpgsqlConnectionStringBuilder(shop.Server.ConnectionStringFor("bench")).ConnectionString);
        await connection.Open();
        var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = shop.Stripe.BaseAddress };
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {shop.Stripe.ApiKey}");
        return new BareForwarder(connection, client);
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _stop.CancelAsync();
        await _running;
        await _connection.DisposeAsync();
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var options = new PgOutputReplicationOptions(Name, PgOutputProtocolVersion.V1);
        try
        {
            await foreach (var message in _connection.StartReplication(new PgOutputReplicationSlot(Name), options,
                _stop.Token))
            {
                if (message is InsertMessage insert)
                    _ = SendAsync(await NameAsync(insert));
                _connection.SetReplicationStatus(message.WalEnd);
            }
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }

    private static async Task<string> NameAsync(InsertMessage insert)
    {
        string name = "";
        int column = 0;
        await foreach (var value in insert.NewRow)
        {
            if (column++ == 2)
                name = await value.GetTextReader().ReadToEndAsync();
        }

        return name;
    }

    private async Task SendAsync(string name)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["name"] = name,
            ["email"] = name + "@example.com",
            ["metadata[plan]"] = "pro",
        });
        using var response = await _client.PostAsync("v1/customers", form);
        response.EnsureSuccessStatusCode();
    }
}
