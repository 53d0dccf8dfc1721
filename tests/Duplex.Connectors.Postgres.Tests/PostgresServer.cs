using Duplex.Simulators.Postgres;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests;

/// <summary>One private server for the whole test run, and a database of its own for each test that asks.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private PrivatePostgres? _server;

    /// <summary>
    /// The server. Skips the test where there can be none, except on a build machine, where it must be there.
    /// </summary>
    public PrivatePostgres Server
    {
        get
        {
            SkipWithoutPostgres();
            return _server!;
        }
    }

    public static void SkipWithoutPostgres()
    {
        var reason = PrivatePostgres.Unavailable;
        if (reason is not null && Environment.GetEnvironmentVariable("CI") == "true")
        {
            throw new InvalidOperationException(reason);
        }

        Skip.If(reason is not null, reason);
    }

    public async Task InitializeAsync()
    {
        if (PrivatePostgres.Unavailable is null)
        {
            _server = await PrivatePostgres.StartAsync();
        }
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await _server.DisposeAsync();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>
{
    public const string Name = "postgres";
}
