using Duplex.Engine.Diagnostics;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.EndToEnd.Tests;

/// <summary>The source's server goes away under load.</summary>
public sealed class RestartTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    /// <summary>An update changes but a few rows, however long the load lasts: what waits grows with the time and not with its
    /// square.</summary>
    private const string Newest = "(select max(id) - 100 from customers)";

    [SkippableTheory]
    [InlineData("fast")]
    [InlineData("immediate")]
    [InlineData("kill")]
    public async Task A_server_that_restarts_under_load_loses_nothing_and_doubles_nothing(string how)
    {
        await using var bed = await postgres.BedAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        using var stop = new CancellationTokenSource();
        var writer = WriteAsync(bed, stop.Token);
        for (var round = 1; round <= 3; round++)
        {
            var enough = round * 25;
            await bed.UntilAsync(() => bed.StripeCustomers().Count >= enough, "some arrive");
            var started = (await bed.QueryAsync("select pg_postmaster_start_time()::text"))[0];
            if (how == "kill")
            {
                await bed.Postgres.KillAsync();
            }
            else
            {
                await bed.Postgres.StopAsync(immediate: how == "immediate");
            }

            await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Connections
                .Single(static c => c.Name == "shop") is { Error.Code: ErrorCode.SourceUnavailable }, "it says so");
            await bed.Postgres.StartAsync();
            bed.Sql.Clear();
            (await bed.QueryAsync("select pg_postmaster_start_time()::text"))[0].ShouldNotBe(started);
        }

        var ended = bed.StripeCustomers().Count + 25;
        await bed.UntilAsync(() => bed.StripeCustomers().Count >= ended, "they go on arriving");
        await stop.CancelAsync();
        (await writer).ShouldBeGreaterThan(0, "no write met the restart");
        await bed.ConvergeAsync();
        await bed.ReadyAsync();
    }

    /// <summary>Inserts, updates and deletes until told to stop; returns how many failed with the server.</summary>
    private static async Task<int> WriteAsync(Bed bed, CancellationToken stop)
    {
        var (failed, n) = (0, 0);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!stop.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            n++;
            try
            {
                await bed.ExecuteAsync((n % 10) switch
                {
                    < 4 => $"insert into customers (name, email) values ('n{n}', 'c{n}@x.org')",
                    < 9 => $"update customers set name = 'u{n}', balance_eur = {n % 50} where id % 7 = {n % 7} and id > {Newest}",
                    _ => $"delete from customers where email = 'c{n - 8}@x.org'",
                });
            }
            catch (NpgsqlException)
            {
                failed++;
            }
        }

        return failed;
    }
}
