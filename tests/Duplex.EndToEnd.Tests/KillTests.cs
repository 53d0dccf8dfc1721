using System.Globalization;
using System.Text.Json;
using Duplex.Engine.State;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Storage.Embedded;
using Npgsql;
using Xunit.Abstractions;

namespace Duplex.EndToEnd.Tests;

/// <summary>
/// Random edits on both sides, key changes among them, while the server is killed again and again; then both sides must be
/// equal, one to one, and quiet. <c>DUPLEX_KILL_RECORDS</c>, <c>DUPLEX_KILL_SECONDS</c>, <c>DUPLEX_KILL_QUIET</c> (seconds) and
/// <c>DUPLEX_KILL_SEED</c> make it larger; <c>DUPLEX_KILL_KEYS=0</c> leaves key changes out.
/// </summary>
[Collection(KafkaCollection.Name)]
public sealed class KillTests(SharedKafka kafka, ITestOutputHelper output)
{
    private static readonly int Records = Number("DUPLEX_KILL_RECORDS", 100);
    private static readonly int Seconds = Number("DUPLEX_KILL_SECONDS", 15);
    private static readonly int Quiet = Number("DUPLEX_KILL_QUIET", 5);
    private static readonly int Seed = Number("DUPLEX_KILL_SEED", 1);

    private static readonly bool Keys = Number("DUPLEX_KILL_KEYS", 1) > 0;

    private int _made;

    [SkippableTheory]
    [InlineData("embedded")]
    [InlineData("kafka")]
    public async Task Kills_at_any_instant_lose_nothing_and_duplicate_nothing(string log)
    {
        output.WriteLine($"seed {Seed}, {log} log");
        if (log == "kafka")
        {
            SharedKafka.Require();
        }

        await using var bed = await Bed.CreateAsync();
        bed.LogSection = log == "kafka" ? kafka.Section(SharedKafka.Prefix()) : "";
        await SeedAsync(bed);
        await using var server = new ServerProcess(bed);
        server.Start();
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ResetAfter, Probability = 0.01, Operation = "POST *" });
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Probability = 0.01, Operation = "POST *" });
        bed.Stripe.AddFault(new FaultRule { Kind = FaultKind.WebhookDrop, Probability = 0.05 });
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(Seconds));
        var edits = Task.WhenAll(EditPostgresAsync(bed, stop.Token), EditStripeAsync(bed, stop.Token));
        await KillAgainAndAgainAsync(server, stop.Token);
        await edits;
        bed.Stripe.ClearFaults();
        await SettleAsync(bed, server);
        var differences = await Sides.DifferencesAsync(bed);
        if (differences.Count > 0)
        {
            await server.KillAsync();
            await ExplainAsync(bed, differences);
        }

        differences.ShouldBeEmpty();
        var records = bed.StripeCustomers().Count;
        await StaysQuietAsync(bed);
        server.Kills.ShouldBeGreaterThan(Seconds / 10);
        output.WriteLine($"{server.Kills} kills, {records} records, {server.ResidentBytes() >> 20} MB resident");
        await server.KillAsync();
        await ExplainAsync(bed, []);
        await LinksAreOneToOneAsync(bed, records);
    }

    private async Task SeedAsync(Bed bed)
    {
        await bed.ExecuteAsync($"""
            insert into customers (name, email, plan, balance_eur)
            select 'n' || i, 'c' || i || '@x.org', 'free', i % 100 from generate_series(1, {Records}) i
            """);
        var half = Records / 2;
        bed.Stripe.Seed(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(half, Records).Select(static i =>
            $$$"""{"name":"n{{{i}}}","email":"c{{{i}}}@x.org","metadata":{"plan":"F"},"balance":{{{i % 100 * 100}}}}"""))));
        _made = Records * 2;
    }

    private static async Task KillAgainAndAgainAsync(ServerProcess server, CancellationToken stop)
    {
        var random = new Random(Seed);
        while (!stop.IsCancellationRequested)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(random.Next(1500, 5000)));
            await timer.WaitForNextTickAsync(CancellationToken.None);
            await server.KillAsync();
            server.Start();
        }
    }

    private async Task EditPostgresAsync(Bed bed, CancellationToken stop)
    {
        var random = new Random(Seed + 1);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(15));
        while (!stop.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            var id = $"(select id from customers offset floor(random() * (select count(*) from customers)) limit 1)";
            var n = Interlocked.Increment(ref _made);
            var sql = random.Next(20) switch
            {
                < 3 => $"insert into customers (name, email, plan) values ('p{n}', 'p{n}@x.org', 'pro')",
                < 8 => $"update customers set name = 'pn{n}' where id = {id}",
                < 12 => $"update customers set phone = '{n}', balance_eur = {random.Next(1000)}.{random.Next(10, 99)} where id = {id}",
                < 15 => $"update customers set plan = case plan when 'pro' then 'free' else 'pro' end where id = {id}",
                15 when Keys => $"update customers set id = id + 10000000 where id = {id}",
                16 when Keys && n % 2 == 0 => $"with gone as (delete from customers where id = {id} returning id) "
                    + $"insert into customers (id, name, email) select id, 'r{n}', 'r{n}@x.org' from gone",
                16 when Keys => $"with gone as (delete from customers where id = {id} returning id) "
                    + $"update customers c set id = gone.id from gone where c.id = {id} and c.id <> gone.id",
                17 => $"update customers set email = 'e{n}@x.org' where id = {id}",
                18 => $"delete from customers where id = {id}",
                _ => $"begin; update customers set name = 'x{n}' where id = {id}; update customers set name = 'y{n}' where name = 'x{n}'; commit",
            };
            try
            {
                await bed.ExecuteAsync(sql);
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UniqueViolation)
            {
                // The edit did not happen; the next one does.
            }
        }
    }

    private async Task EditStripeAsync(Bed bed, CancellationToken stop)
    {
        var random = new Random(Seed + 2);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        var ids = new List<string>();
        while (!stop.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            var n = Interlocked.Increment(ref _made);
            if (n % 50 == 0 || ids.Count == 0)
            {
                ids = [.. bed.StripeCustomers().Select(static c => c.GetProperty("id").GetString()!)];
            }

            var path = $"/v1/customers/{ids[random.Next(ids.Count)]}";
            try
            {
                switch (random.Next(20))
                {
                    case < 3:
                        bed.Stripe.EditOnDashboard("POST", "/v1/customers", $"name=s{n}&email=s{n}@x.org&metadata[plan]=P");
                        break;
                    case < 9:
                        bed.Stripe.EditOnDashboard("POST", path, $"name=sn{n}");
                        break;
                    case 9:
                        bed.Stripe.EditOnDashboard("POST", path, $"email=f{n}@x.org");
                        break;
                    case < 14:
                        bed.Stripe.EditOnDashboard("POST", path, $"phone={n}&balance={random.Next(100000)}");
                        break;
                    case < 18:
                        bed.Stripe.EditOnDashboard("POST", path, $"metadata[plan]={(n % 2 == 0 ? "F" : "P")}");
                        break;
                    default:
                        bed.Stripe.EditOnDashboard("DELETE", path);
                        break;
                }
            }
            catch (Exception e) when (e.GetType().Name == "StripeException")
            {
                // The customer is deleted by now; the next edit takes another one.
            }
        }
    }

    private async Task SettleAsync(Bed bed, ServerProcess server)
    {
        JsonElement? last = null;
        try
        {
            var still = 0;
            await bed.UntilAsync(async () =>
            {
                server.HasExited.ShouldBeFalse(server.Said);
                last = await server.StatusAsync();
                var idle = last is { } status && status.GetProperty("ready").GetBoolean() && bed.Stripe.PendingWebhooks == 0
                    && status.GetProperty("syncs").EnumerateArray().All(static s => s.GetProperty("state").GetString() == "running"
                        && s.GetProperty("legs").EnumerateArray()
                        .All(static l => l.GetProperty("behind").GetInt64() == 0 && l.GetProperty("pending").GetInt64() == 0));
                still = idle ? still + 1 : 0;
                return still > 200;
            }, "settled", 240 + (Records / 200));
        }
        catch (TimeoutException)
        {
            output.WriteLine($"{last?.GetProperty("syncs")}\n{server.Said[Math.Max(0, server.Said.Length - 3000)..]}");
            await server.KillAsync();
            await ExplainAsync(bed, []);
            throw new TimeoutException("It does not settle.");
        }
    }

    private static async Task StaysQuietAsync(Bed bed)
    {
        var writes = bed.Stripe.WriteCount;
        var rows = await bed.QueryAsync("select sum(xmin::text::bigint)::text from customers");
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(Quiet));
        await timer.WaitForNextTickAsync();
        bed.Stripe.WriteCount.ShouldBe(writes);
        (await bed.QueryAsync("select sum(xmin::text::bigint)::text from customers")).ShouldBe(rows);
    }

    private static async Task LinksAreOneToOneAsync(Bed bed, int records)
    {
        await using var store = await EmbeddedStateStore.OpenAsync(bed.Data);
        var live = new List<Link>();
        for (long after = 0; await store.ListLinksAsync("acme/customers", after, 1000, default) is { Count: > 0 } page; after = page[^1].Id)
        {
            live.AddRange(page.Where(static l => l.State == LinkState.Live));
        }

        live.Count.ShouldBe(records);
        live.Select(static l => l.A).Distinct().Count().ShouldBe(records);
        live.Select(static l => l.B).Distinct().Count().ShouldBe(records);
        (await store.ListDeadLettersAsync(null, 0, 10, default)).ShouldBeEmpty();
    }

    /// <summary>Writes what the state store knows about records that differ.</summary>
    private async Task ExplainAsync(Bed bed, List<string> differences)
    {
        await using var store = await EmbeddedStateStore.OpenAsync(bed.Data);
        foreach (var email in differences.Select(static d => d.Split(' ', 2)[1].Split('|')[0]).Distinct())
        {
            foreach (var id in await bed.QueryAsync($"select id::text from customers where email = '{email}'"))
            {
                await ExplainAsync(store, Side.A, Duplex.Sdk.RecordKey.Of(id), email);
            }

            foreach (var customer in bed.StripeCustomers().Where(c => Sides.Text(c, "email") == email))
            {
                await ExplainAsync(store, Side.B, Duplex.Sdk.RecordKey.Of(Sides.Text(customer, "id")), email);
            }
        }

        foreach (var side in new[] { Side.A, Side.B })
        {
            foreach (var waiting in await store.ListDueAsync(new LegId("acme/customers", side), long.MaxValue, 5, default))
            {
                output.WriteLine($"pending: {side} {waiting.Key} attempts {waiting.Attempts} due {waiting.DueMicros} {waiting.Error}");
                await ExplainAsync(store, side, waiting.Key, "pending");
            }
        }

        foreach (var letter in await store.ListDeadLettersAsync(null, 0, 20, default))
        {
            output.WriteLine($"dead: {letter.Leg} {letter.Key} {letter.Error} {letter.Error.Detail} "
                + $"{System.Text.Encoding.UTF8.GetString(letter.Envelope.Span)}");
            await ExplainAsync(store, letter.Leg.From, letter.Key, "dead");
        }
    }

    private async Task ExplainAsync(EmbeddedStateStore store, Side side, Duplex.Sdk.RecordKey key, string email)
    {
        var link = (await store.FindLinksAsync("acme/customers", side, [key], default))[0];
        output.WriteLine($"{email} is {side} {key}, link {link?.Id} {link?.State} A {link?.A} B {link?.B}");
        foreach (var line in await store.ReadTimelineAsync("acme/customers", side, key, 100, default))
        {
            output.WriteLine($"  {line.AtMicros} {line.Side} {line.Kind} A {line.A} B {line.B} {System.Text.Encoding.UTF8.GetString(line.Detail.Span)}");
        }
    }

    private static int Number(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : fallback;
}
