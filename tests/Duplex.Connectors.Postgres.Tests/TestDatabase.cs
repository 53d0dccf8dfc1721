using Duplex.Sdk;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests;

/// <summary>A fresh database on the shared server, with what tests do to it.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    private TestDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        _source = NpgsqlDataSource.Create(connectionString);
    }

    public string ConnectionString { get; }

    public static ConnectorContext Context { get; } = new()
    {
        Tenant = "acme",
        Connection = "shop",
        Installation = "abcdefgh",
        Settings = new ConnectionSettings(new Dictionary<string, object>()),
        Budget = new OpenBudget(),
        Loggers = NullLoggerFactory.Instance,
    };

    public static async Task<TestDatabase> CreateAsync(PostgresServer server, string sql)
    {
        ArgumentNullException.ThrowIfNull(server);
        var database = new TestDatabase(await server.Server.CreateDatabaseAsync());
        await database.ExecuteAsync(sql);
        return database;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task<List<string>> ListAsync(string sql)
    {
        var rows = new List<string>();
        await using var command = _source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }

    public Task<NpgsqlConnection> OpenAsync() => _source.OpenConnectionAsync().AsTask();

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private sealed class OpenBudget : IRateBudget
    {
        public ValueTask AcquireAsync(
            string scope, double perSecond, int burst, CancellationToken cancellationToken) => default;

        public void HoldBack(string scope, TimeSpan duration)
        {
        }
    }
}
