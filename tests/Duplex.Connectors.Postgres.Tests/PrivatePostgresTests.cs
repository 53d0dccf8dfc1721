using Duplex.Simulators.Postgres;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests;

public sealed class PrivatePostgresTests
{
    [SkippableFact]
    public async Task Committed_rows_survive_a_killed_and_an_immediately_stopped_server()
    {
        PostgresServer.SkipWithoutPostgres();
        await using var server = await PrivatePostgres.StartAsync();
        var database = new NpgsqlConnectionStringBuilder(await server.CreateDatabaseAsync()) { Pooling = false };
        await ExecuteAsync(database, "CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept VALUES (1)");

        await server.KillAsync();
        await server.StartAsync();
        await ExecuteAsync(database, "INSERT INTO kept VALUES (2)");
        await server.RestartAsync(immediate: true);

        (await ExecuteAsync(database, "SELECT count(*) FROM kept")).ShouldBe(2L);
        (await ExecuteAsync(database, "SELECT current_setting('wal_level')")).ShouldBe("logical");
    }

    [SkippableFact]
    public async Task A_cluster_in_a_given_directory_is_found_again()
    {
        PostgresServer.SkipWithoutPostgres();
        var directory = Path.Combine(Path.GetTempPath(), "duplex-kept-" + Path.GetRandomFileName());
        try
        {
            await using (var first =
                await PrivatePostgres.StartAsync(new PrivatePostgresOptions { Directory = directory }))
            {
                await first.CreateDatabaseAsync("shop");
            }

            await using var second =
                await PrivatePostgres.StartAsync(new PrivatePostgresOptions { Directory = directory });
            var database = new NpgsqlConnectionStringBuilder(second.ConnectionStringFor("shop")) { Pooling = false };
            (await ExecuteAsync(database, "SELECT current_database()")).ShouldBe("shop");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<object?> ExecuteAsync(NpgsqlConnectionStringBuilder database, string sql)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
