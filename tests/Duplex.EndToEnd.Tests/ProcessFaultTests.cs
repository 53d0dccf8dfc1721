using System.Text.Json;
using Duplex.Engine.Diagnostics;
using Duplex.Sdk;
using Duplex.Simulators.Stripe.Faults;

namespace Duplex.EndToEnd.Tests;

/// <summary>What happens to the server's own process and disk.</summary>
public sealed class ProcessFaultTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    private const int Rows = 1000;
    private const int RowsDeleted = Rows / 100;

    /// <summary>Four kills let fewer chunks of twenty rows through than there are.</summary>
    private const int ChunksPerKill = 6;

    [SkippableFact]
    public async Task Kills_during_the_snapshot_lose_no_row_and_no_change_to_a_row_already_copied()
    {
        await using var bed = await FilledAsync();
        await using var server = new ServerProcess(bed);
        await using (var gate = await TableGate.CloseAsync(bed))
        {
            for (var kill = 1; kill <= 4; kill++)
            {
                server.Start();
                await KillInSnapshotAsync(bed, server, gate, kill);
            }
        }

        server.Start();
        await bed.UntilAsync(async () => (await Sides.DifferencesAsync(bed)).Count == 0, "both sides are equal");
        bed.StripeCustomers().Count.ShouldBe(Rows - (4 * RowsDeleted) + 4);
        server.Kills.ShouldBe(4);
    }

    [SkippableFact]
    public async Task Kills_while_rows_are_read_anew_bring_back_nothing_deleted_and_no_old_value()
    {
        await using var bed = await FilledAsync();
        await using var server = new ServerProcess(bed);
        server.Start();
        await bed.UntilAsync(async () => await PhaseAsync(server) == "streaming"
            && (await Sides.DifferencesAsync(bed)).Count == 0, "both sides are equal");
        await using (var gate = await TableGate.CloseAsync(bed))
        {
            (await server.PostAsync("/v1/connections/acme/shop/resnapshot")).ShouldBe(202, server.Said);
            await KillInSnapshotAsync(bed, server, gate, 1);
            server.Start();
            await KillInSnapshotAsync(bed, server, gate, 2);
        }

        server.Start();
        await bed.UntilAsync(async () => await PhaseAsync(server) == "streaming"
            && (await Sides.DifferencesAsync(bed)).Count == 0, "both sides are equal");
        bed.StripeCustomers().Count.ShouldBe(Rows - (2 * RowsDeleted) + 2);
        server.Kills.ShouldBe(2);
    }

    [SkippableFact]
    public async Task A_kill_amid_many_rows_of_one_position_loses_none()
    {
        await using var bed = await postgres.BedAsync();
        await using var server = new ServerProcess(bed);
        server.Start();
        await bed.ExecuteAsync("insert into customers (name, email) values ('Ada', 'ada@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("ada@x.org"), "Ada arrives");

        // Every create beyond these takes seconds, so that no kill can come after the last of them.
        SlowDownAfter(bed, creates: 150);
        await using (var connection = await bed.Sql.OpenConnectionAsync())
        await using (var copy = await connection.BeginTextImportAsync("copy customers (name, email) from stdin"))
        {
            for (var i = 0; i < 1000; i++)
            {
                await copy.WriteAsync($"n{i}\tc{i}@x.org\n");
            }
        }

        for (var round = 1; round <= 3; round++)
        {
            var enough = round * 100;
            await bed.UntilAsync(() => bed.StripeCustomers().Count > enough, "some arrive");
            await server.KillAsync();
            bed.StripeCustomers().Count.ShouldBeLessThan(1001);
            bed.Stripe.ClearFaults();
            if (round < 3)
            {
                SlowDownAfter(bed, creates: 150);
            }

            server.Start();
        }

        await bed.UntilAsync(async () => (await Sides.DifferencesAsync(bed)).Count == 0, "both sides are equal");
        bed.StripeCustomers().Count.ShouldBe(1001);
    }

    [SkippableFact]
    public async Task A_termination_under_load_ends_well_and_nothing_is_lost()
    {
        await using var bed = await postgres.BedAsync();
        await using var server = new ServerProcess(bed);
        using var stop = new CancellationTokenSource();
        var (n, writer) = (0, Task.CompletedTask);
        writer = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            while (!stop.IsCancellationRequested)
            {
                await timer.WaitForNextTickAsync(CancellationToken.None);
                await bed.ExecuteAsync($"""
                    insert into customers (name, email) values ('n', 'c{++n}@x.org');
                    update customers set name = 'u{n}' where id = {n / 2}
                    """);
            }
        });
        for (var round = 0; round < 3; round++)
        {
            server.Start();
            var enough = bed.StripeCustomers().Count + 40;
            await bed.UntilAsync(() => bed.StripeCustomers().Count > enough, "it works");
            (await server.TerminateAsync()).ShouldBe(0, server.Said);
        }

        var last = Volatile.Read(ref n);
        await bed.UntilAsync(() => Volatile.Read(ref n) > last + 1 || writer.IsCompleted, "the load goes on");
        await stop.CancelAsync();
        await writer;
        (await Sides.DifferencesAsync(bed)).ShouldNotBeEmpty("there was no load");
        server.Start();
        await bed.UntilAsync(async () => (await Sides.DifferencesAsync(bed)).Count == 0, "both sides are equal");
        bed.StripeCustomers().Count.ShouldBe(n);
    }

    [SkippableTheory]
    [InlineData("log.db-wal")]
    [InlineData("state.db-wal")]
    public async Task A_failed_sync_ends_the_process_with_its_reason_and_the_next_one_loses_nothing(string file)
    {
        Skip.IfNot(Environment.GetEnvironmentVariable("PATH")!.Split(':')
            .Any(static folder => File.Exists(Path.Combine(folder, "strace"))), "strace is not installed");
        await using var bed = await postgres.BedAsync();
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n', 'c' || i || '@x.org' from generate_series(1, 50) i");
        await using var server = new ServerProcess(bed);
        server.Start("-P", Path.Combine(bed.Data, file), "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=30+");
        var rows = 50;
        await bed.UntilAsync(async () =>
        {
            await bed.ExecuteAsync($"insert into customers (name, email) values ('late', 'c{++rows}@x.org')");
            return server.HasExited;
        }, "the process ends");
        (await server.EndAsync()).ShouldBe(1, server.Said);
        server.Said.ShouldContain("storage.failed");
        server.Said.ShouldContain("start Duplex again");

        server.Start();
        await bed.UntilAsync(async () => (await Sides.DifferencesAsync(bed)).Count == 0, "both sides are equal");
        bed.StripeCustomers().Count.ShouldBe(rows);
    }

    [SkippableFact]
    public async Task A_full_disk_stops_the_acknowledging_is_told_and_ends_by_itself_with_room()
    {
        using var disk = new SmallDisk(64);
        await using var bed = await postgres.BedAsync(disk.Data);
        bed.ShopSettings = "heartbeat: 1s";
        await bed.ExecuteAsync("insert into customers (name, email) values ('Ada', 'ada@x.org')");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeHas("ada@x.org"), "Ada arrives");
        await bed.QuietAsync();
        disk.FillUpTo(2 << 20);
        var rows = 1;
        await bed.UntilAsync(async () =>
        {
            rows += 20;
            await bed.ExecuteAsync($"""
                insert into customers (name, email, note)
                select 'n' || i, 'c' || i || '@x.org', repeat('x', 5000) from generate_series({rows - 20}, {rows - 1}) i
                """);
            return (await bed.Engine.StatusAsync(default)) is { Ready: false, Storage.Code: ErrorCode.StorageFull };
        }, "the full disk is told");
        disk.FreeBytes.ShouldBeLessThan(2 << 20);
        var written = await InsertedAsync(bed, ++rows);
        await bed.UntilAsync(async () => (await bed.Engine.StatusAsync(default)).Connections
            .Single(static c => c.Name == "shop") is { State: RunState.Retrying, Error.Code: ErrorCode.StorageFull },
            "the connection is told");
        bed.Stripe.EditOnDashboard("POST", "/v1/customers", "name=Bob&email=bob@x.org");
        await bed.UntilAsync(async () => (await bed.Engine.ReceiveWebhookAsync("acme", "billing",
            new WebhookDelivery("{}"u8.ToArray(), static _ => null), default)).Status == 503, "webhooks are refused");
        (await PastAsync(bed, written)).ShouldBe("False");
        disk.MakeRoom();
        await bed.UntilAsync(async () => await PastAsync(bed, written) == "True", "it acknowledges again");
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(rows + 1);
        await bed.ReadyAsync();
    }

    private static void SlowDownAfter(Bed bed, int creates) => bed.Stripe.AddFault(new FaultRule
    {
        Kind = FaultKind.Slow, Operation = "POST /v1/customers", Skip = creates, DelayMilliseconds = 3000,
    });

    private static async Task<string> InsertedAsync(Bed bed, int n)
    {
        await bed.ExecuteAsync($"insert into customers (name, email) values ('last', 'c{n}@x.org')");
        return await WrittenAsync(bed);
    }

    private static async Task<string> WrittenAsync(Bed bed) =>
        (await bed.QueryAsync("select pg_current_wal_lsn()::text"))[0];

    private static async Task<string> PastAsync(Bed bed, string written) => (await bed.QueryAsync(
        $"select confirmed_flush_lsn >= '{written}' from pg_replication_slots where database = current_database()"))[0];

    /// <summary>A bed with rows, and a slot that is made already.</summary>
    private async Task<Bed> FilledAsync()
    {
        var bed = await postgres.BedAsync();
        bed.ShopSettings = $"snapshot_chunk: 20\n    heartbeat: 1s\n    {await TableGate.MakeSlotAsync(bed)}";
        await bed.ExecuteAsync($"""
            insert into customers (name, email, note)
            select 'n' || i, 'c' || i || '@x.org', repeat('x', 200) from generate_series(1, {Rows}) i
            """);
        return bed;
    }

    /// <summary>
    /// Kills the server in the middle of a snapshot, which the gate lets on by one chunk a step. Before an odd kill it
    /// has stored what changed, before an even one it has not seen it.
    /// </summary>
    private static async Task KillInSnapshotAsync(Bed bed, ServerProcess server, TableGate gate, int kill)
    {
        for (var chunk = 0; chunk < ChunksPerKill; chunk++)
        {
            await gate.LetReadAsync();
        }

        await gate.ExecuteAsync($"""
            update customers set name = 'k{kill}' where id % 100 = {kill};
            delete from customers where id % 100 = {kill + 10};
            insert into customers (name, email) values ('late', 'late{kill}@x.org')
            """);
        if (kill % 2 != 0)
        {
            await gate.StepAsync();
            var written = await WrittenAsync(bed);
            await bed.UntilAsync(async () => await PastAsync(bed, written) == "True", "the changes are stored");
        }

        await bed.UntilAsync(async () => await SnapshotRowsAsync(server) is > 0 and < Rows
            && await PhaseAsync(server) == "snapshot", "the snapshot is told to be under way");
        await server.KillAsync();
        await gate.StepAsync();
    }

    private static async Task<string?> PhaseAsync(ServerProcess server) =>
        await SourceAsync(server) is { } source ? source.GetProperty("phase").GetString() : null;

    private static async Task<long> SnapshotRowsAsync(ServerProcess server) =>
        await SourceAsync(server) is { } source ? source.GetProperty("snapshot_rows").GetInt64() : 0;

    private static async Task<JsonElement?> SourceAsync(ServerProcess server) =>
        await ShopAsync(server) is { } shop && shop.TryGetProperty("source", out var source)
            && source.ValueKind == JsonValueKind.Object ? source : null;

    private static async Task<JsonElement?> ShopAsync(ServerProcess server)
    {
        var status = await server.StatusAsync();
        foreach (var connection in status?.GetProperty("connections").EnumerateArray() ?? default)
        {
            if (connection.GetProperty("name").GetString() == "shop")
            {
                return connection;
            }
        }

        return null;
    }
}
