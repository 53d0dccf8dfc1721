using Duplex.Sdk;
using Duplex.Simulators.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests.Capture;

/// <summary>A database of its own on the private server, with what it takes to capture it.</summary>
internal sealed class CaptureShop : IAsyncDisposable
{
    private readonly NpgsqlDataSource _sql;

    private CaptureShop(string connectionString, ConnectorContext context) =>
        (_sql, Context, ConnectionString) = (NpgsqlDataSource.Create(connectionString), context, connectionString);

    public ConnectorContext Context { get; }

    public string ConnectionString { get; }

    public static string Installation => "inst2345";

    public string Slot => "duplex_inst2345_shop_" + Context.Connection["shop_".Length..];

    /// <summary>Makes the database and runs the statements in it.</summary>
    public static async Task<CaptureShop> OpenAsync(
        PostgresServer server, string sql, IReadOnlyDictionary<string, object>? settings = null) =>
        await OpenAsync(server.Server, sql, settings);

    public static async Task<CaptureShop> OpenAsync(
        PrivatePostgres server, string sql, IReadOnlyDictionary<string, object>? settings = null)
    {
        var connectionString = await server.CreateDatabaseAsync();
        var shop = new CaptureShop(connectionString, ContextFor(connectionString, settings));
        await shop.RunAsync(sql);
        return shop;
    }

    public static ConnectorContext ContextFor(string connectionString, IReadOnlyDictionary<string, object>? settings =
        null)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        var raw = new Dictionary<string, object>
        {
            ["host"] = builder.Host!,
            ["port"] = builder.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["database"] = builder.Database!,
            ["username"] = builder.Username!,
            ["password"] = builder.Password!,
            ["ssl_mode"] = "disable",
            ["heartbeat"] = "300ms",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, object>())
        {
            raw[name] = value;
        }

        var findings = new List<Finding>();
        var read = ConnectionSettings.Read(new PostgresConnector().Spec, raw, "/connections/shop", findings);
        findings.ShouldBeEmpty();
        return new ConnectorContext
        {
            Tenant = "acme",
            Connection = "shop_" + builder.Database!.ToLowerInvariant(),
            Installation = Installation,
            Settings = read,
            Budget = new NoBudget(),
            Loggers = NullLoggerFactory.Instance,
        };
    }

    public IRecordSource Source(params string[] streams) => new PostgresConnector().OpenSource(Context, streams);

    public async Task<object?> RunAsync(string sql)
    {
        await using var command = _sql.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    public ValueTask<NpgsqlConnection> ConnectAsync() => _sql.OpenConnectionAsync();

    /// <summary>Drops pooled connections: the server was killed.</summary>
    public void Forget() => _sql.Clear();

    /// <summary>The rows of a query, one text per row.</summary>
    public async Task<List<string>> ListAsync(string sql)
    {
        await using var command = _sql.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }

    /// <summary>Frees the slot, so that one server serves every test.</summary>
    public async ValueTask DisposeAsync()
    {
        await RunAsync($"""
            SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{Slot}' AND active
            """);
        await Eventually.HoldsAsync(async () => (bool)(await RunAsync(
            $"SELECT NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{Slot}' AND active)"))!);
        await RunAsync(
            $"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{Slot}'");
        await _sql.DisposeAsync();
    }

    private sealed class NoBudget : IRateBudget
    {
        public ValueTask AcquireAsync(string scope, double perSecond, int burst, CancellationToken cancellationToken) =>
            ValueTask.CompletedTask;

        public void HoldBack(string scope, TimeSpan duration)
        {
        }
    }
}
