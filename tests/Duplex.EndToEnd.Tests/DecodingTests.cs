using System.Text.Json;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.EndToEnd.Tests;

/// <summary>Transactions and values of PostgreSQL that are easily decoded wrong.</summary>
public sealed class DecodingTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    [SkippableTheory]
    [InlineData("default")]
    [InlineData("full")]
    [InlineData("using index by_both")]
    public async Task A_large_value_that_an_update_leaves_alone_stays_at_the_sink(string identity)
    {
        await using var bed = await postgres.BedAsync();
        bed.SyncSettings = bed.SyncSettings.Replace("{ a: phone,       b: phone }", "{ a: note, b: description }");
        await bed.ExecuteAsync($"""
            alter table customers alter column note set storage external, alter column phone set storage plain,
                alter column email set not null;
            alter table customers set (toast_tuple_target = 128);
            create unique index by_both on customers (id, email);
            alter table customers replica identity {identity};
            insert into customers (name, email, phone, note) values
                ('Ada', 'ada@x.org', repeat('1', 3000), repeat('a', 300)), ('Bob', 'bob@x.org', repeat('1', 3000), null)
            """);
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 2, "both arrive");
        await bed.QuietAsync();
        (await bed.QueryAsync("select pg_relation_size(reltoastrelid) from pg_class where relname = 'customers'"))
            .ShouldNotBe(["0"], "the value is not stored apart");
        await bed.ExecuteAsync("update customers set name = name || ' 2'");
        await bed.UntilAsync(() => Text(bed, "ada@x.org", "name") == "Ada 2" && Text(bed, "bob@x.org", "name") == "Bob 2",
            "the update arrives");
        await bed.QuietAsync();
        Text(bed, "ada@x.org", "description").ShouldBe(new string('a', 300));
        Text(bed, "bob@x.org", "description").ShouldBeNull();

        await bed.ExecuteAsync("update customers set note = repeat('b', 350)");
        await bed.UntilAsync(() => Text(bed, "ada@x.org", "description")?.Length == 350
            && Text(bed, "bob@x.org", "description")?.Length == 350, "the new value arrives");
        await bed.ExecuteAsync("update customers set note = null, name = 'none'");
        await bed.UntilAsync(() => Text(bed, "ada@x.org", "name") == "none", "its absence arrives");
        await bed.QuietAsync();
        Text(bed, "ada@x.org", "description").ShouldBeNull();
        (await bed.QueryAsync("select count(*) from customers where note is null")).ShouldBe(["2"]);
    }

    [SkippableFact]
    public async Task A_large_transaction_arrives_whole_in_bounded_memory_and_an_aborted_one_never()
    {
        await using var bed = await postgres.BedAsync();
        bed.SyncSettings += "\n    when: { a: \"plan = 'pro'\" }";
        await using var server = new ServerProcess(bed);
        server.Start();
        await bed.ExecuteAsync("insert into customers (name, email, plan) values ('Ada', 'ada@x.org', 'pro')");
        await bed.UntilAsync(() =>
        {
            server.HasExited.ShouldBeFalse(server.Said);
            return bed.StripeHas("ada@x.org");
        }, "Ada arrives");
        var before = server.ResidentBytes();
        await using (var connection = await bed.Sql.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await InsertAsync(connection, "lost", 20_000);
            await transaction.RollbackAsync();
        }

        await using (var connection = await bed.Sql.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await InsertAsync(connection, "kept", 200_000);
            await transaction.SaveAsync("half");
            await InsertAsync(connection, "undone", 1_000);
            await transaction.RollbackAsync("half");
            bed.StripeCustomers().Count.ShouldBe(1);
            await transaction.CommitAsync();
        }

        var most = 0L;
        await bed.UntilAsync(() =>
        {
            most = Math.Max(most, server.ResidentBytes());
            return bed.StripeCustomers().Count >= 201;
        }, "the transaction arrives", 180);
        await bed.UntilAsync(async () => (await server.StatusAsync()) is { } s && s.GetProperty("syncs")[0]
            .GetProperty("legs").EnumerateArray().All(static l => l.GetProperty("behind").GetInt64() == 0),
            "all is passed");
        bed.StripeCustomers().Count.ShouldBe(201);
        (await bed.QueryAsync("select spill_bytes > 40000000 from pg_stat_replication_slots join pg_replication_slots "
            + "using (slot_name) where database = current_database()")).ShouldBe(["True"]);
        (most - before).ShouldBeLessThan(300L << 20);
    }

    [SkippableFact]
    public async Task A_transaction_that_is_open_across_a_restart_arrives_with_the_short_ones_around_it()
    {
        await using var bed = await postgres.BedAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        await using var connection = await bed.Sql.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        for (var round = 0; round < 3; round++)
        {
            await InsertAsync(connection, $"long{round}", 10);
            await bed.ExecuteAsync($"insert into customers (name, email) values ('short', 'short{round}@x.org')");
            await bed.UntilAsync(() => bed.StripeHas($"short{round}@x.org"), "the short one arrives");
            bed.StripeCustomers().Count.ShouldBe(round + 1);
            await bed.StopAsync();
            await InsertAsync(connection, $"while{round}", 10);
            await bed.StartAsync();
            await bed.ReadyAsync();
        }

        await transaction.CommitAsync();
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(63);
    }

    [SkippableFact]
    public async Task A_prepared_transaction_arrives_once_and_only_when_it_is_committed()
    {
        await using var bed = await postgres.BedAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        var name = Guid.NewGuid().ToString("N");
        await bed.ExecuteAsync($"""
            begin; insert into customers (name, email) values ('Ada', 'ada@x.org'); prepare transaction '{name}a'
            """);
        await bed.ExecuteAsync($"""
            begin; insert into customers (name, email) values ('Bob', 'bob@x.org'); prepare transaction '{name}b'
            """);
        await bed.ExecuteAsync("insert into customers (name, email) values ('Cy', 'cy@x.org')");
        await bed.UntilAsync(() => bed.StripeHas("cy@x.org"), "the plain one arrives");
        (await bed.QueryAsync($"select gid from pg_prepared_xacts where gid like '{name}%'")).Count.ShouldBe(2);
        await bed.StopAsync();
        await bed.StartAsync();
        await bed.ReadyAsync();
        await bed.QuietAsync();
        bed.StripeCustomers().Count.ShouldBe(1);
        await bed.ExecuteAsync($"rollback prepared '{name}b'");
        await bed.ExecuteAsync($"commit prepared '{name}a'");
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(2);
        bed.StripeHas("ada@x.org").ShouldBeTrue();
    }

    [SkippableFact]
    public async Task Keys_that_change_return_and_restart_are_followed()
    {
        await using var bed = await postgres.BedAsync();
        await bed.ExecuteAsync(
            "insert into customers (name, email) select 'n' || i, 'c' || i || '@x.org' from generate_series(1, 10) i");
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 10, "all arrive");
        await bed.QuietAsync();
        var first = bed.StripeCustomer("c1@x.org").GetProperty("id").GetString();
        await bed.ExecuteAsync("update customers set id = 101 where id = 1; update customers set id = 1 where id = 2");
        await bed.ExecuteAsync("""
            begin; delete from customers where id = 3;
            insert into customers (id, name, email) values (3, 'again', 'c3@x.org'); commit
            """);
        await bed.ConvergeAsync();
        bed.StripeCustomer("c1@x.org").GetProperty("id").GetString().ShouldBe(first);
        bed.StripeCustomers().Count.ShouldBe(10);
        await bed.ExecuteAsync("update customers set name = 'one' where id = 1");
        await bed.UntilAsync(() => Text(bed, "c2@x.org", "name") == "one", "the key that moved is followed");

        await bed.ExecuteAsync("""
            begin; truncate customers restart identity;
            insert into customers (name, email) select 'm' || i, 'd' || i || '@x.org' from generate_series(1, 4) i; commit
            """);
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(4);
        (await bed.QueryAsync("select string_agg(id::text, ',' order by id) from customers")).ShouldBe(["1,2,3,4"]);
    }

    [SkippableFact]
    public async Task A_truncate_that_cascades_removes_the_partners_of_every_table_and_of_no_row_that_came_after()
    {
        await using var bed = await postgres.BedAsync();
        bed.SyncSettings += """

              items:
                a: { connection: shop, stream: public.items }
                b: { connection: billing, stream: products }
                direction: a_to_b
                match: [ { a: name, b: name } ]
                mapping: [ { a: name, b: name } ]
                deletes: { a: propagate, brake: 0 }
            """;
        await bed.ExecuteAsync("""
            create table items (id bigint primary key, owner bigint references customers, name text);
            create table notes (id bigint primary key, item bigint references items);
            insert into customers (id, name, email) select i, 'n' || i, 'c' || i || '@x.org' from generate_series(1, 5) i;
            insert into items select i, 1 + i % 5, 'item ' || i from generate_series(1, 7) i;
            insert into notes select i, i from generate_series(1, 7) i
            """);
        await bed.StartAsync();
        await bed.UntilAsync(() => bed.StripeCustomers().Count == 5 && bed.Stripe.Objects("products").Count == 7,
            "all arrive");
        await bed.QuietAsync();
        await bed.ExecuteAsync("""
            begin; truncate customers cascade;
            insert into customers (id, name, email) values (3, 'after', 'after@x.org');
            insert into items values (3, 3, 'item after'); commit
            """);
        await bed.UntilAsync(() => bed.Stripe.Objects("products").Count == 1, "the items' partners are gone");
        await bed.ConvergeAsync();
        bed.StripeCustomers().Count.ShouldBe(1);
        JsonElement.Parse(bed.Stripe.Objects("products").Single()).GetProperty("name").GetString()
            .ShouldBe("item after");
    }

    private static async Task InsertAsync(NpgsqlConnection connection, string name, int rows)
    {
        await using var command = new NpgsqlCommand($"""
            insert into customers (name, email, plan, note)
            select '{name}' || i, '{name}' || i || '@x.org', case when i % {Math.Max(1, rows / 200)} = 0 then 'pro' else 'free' end,
                repeat('x', 300) from generate_series(1, {rows}) i
            """, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static string? Text(Bed bed, string email, string name) =>
        bed.StripeCustomer(email).GetProperty(name).GetString();
}
