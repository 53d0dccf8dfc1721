using Duplex.Connectors.Postgres.Outbox;
using Duplex.Connectors.Postgres.Sink;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests;

[Collection(PostgresCollection.Name)]
public sealed class OutboxTests(PostgresServer postgres)
{
    private const string Schema = """
        CREATE TABLE customers (id int PRIMARY KEY, name text, balance numeric(12,2), seen timestamptz, raw bytea);
        CREATE TABLE other (id int PRIMARY KEY);
        """;

    [SkippableFact]
    public async Task Rows_that_exist_and_every_kind_of_change_arrive_in_order_with_both_images()
    {
        await using var database = await TestDatabase.CreateAsync(
            postgres, Schema + "INSERT INTO customers VALUES (1, 'Ann', 1.5, '2026-01-31 12:00:00+00', '\\x00ff')");
        await using var tail = await OutboxTail.StartAsync(database);
        await tail.UntilAsync(static c => c.Operation == ChangeOperation.Read);

        await database.ExecuteAsync("""
            SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET bytea_output = 'escape';
            INSERT INTO customers VALUES (2, 'Bob', NULL, NULL, NULL);
            UPDATE customers SET name = 'Cid' WHERE id = 1;
            UPDATE customers SET id = 3 WHERE id = 2;
            DELETE FROM customers WHERE id = 3;
            TRUNCATE customers;
            """);
        var changes = await tail.UntilAsync(static c => c.Operation == ChangeOperation.Truncate);

        changes.Select(static c => (c.Operation, c.Key.Json, c.PreviousKey.Json)).ShouldBe(
        [
            (ChangeOperation.Read, "[\"1\"]", ""),
            (ChangeOperation.Create, "[\"2\"]", ""),
            (ChangeOperation.Update, "[\"1\"]", ""),
            (ChangeOperation.Update, "[\"3\"]", "[\"2\"]"),
            (ChangeOperation.Delete, "[\"3\"]", ""),
            (ChangeOperation.Truncate, "", ""),
        ]);
        const string rest = "\"balance\":1.50,\"seen\":\"2026-01-31 12:00:00+00\",\"raw\":\"\\\\x00ff\"}";
        changes[0].After!.ToString().ShouldBe("{\"id\":1,\"name\":\"Ann\"," + rest);
        changes[2].Before!.ToString().ShouldBe("{\"id\":1,\"name\":\"Ann\"," + rest);
        changes[2].After!.ToString().ShouldBe("{\"id\":1,\"name\":\"Cid\"," + rest);
        changes[4].After.ShouldBeNull();
    }

    [SkippableFact]
    public async Task A_change_of_a_transaction_that_ends_late_is_neither_lost_nor_overtaken()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var tail = await OutboxTail.StartAsync(database);
        await using var late = await database.OpenAsync();
        await ExecuteAsync(late, "BEGIN; INSERT INTO customers VALUES (1, 'late')");

        await database.ExecuteAsync("INSERT INTO customers VALUES (2, 'quick')");
        await tail.TurnsAsync(5);
        tail.Changes.ShouldBeEmpty();
        await ExecuteAsync(late, "COMMIT");
        await tail.UntilAsync(static c => c.Key == RecordKey.Of("2"));

        tail.Changes.Select(static c => c.Key.ToString()).ShouldBe(["1", "2"]);
    }

    [SkippableFact]
    public async Task A_transaction_that_touches_no_captured_table_holds_nothing_up()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var tail = await OutboxTail.StartAsync(database);
        await using var stranger = await database.OpenAsync();
        await ExecuteAsync(stranger, "BEGIN; INSERT INTO other VALUES (1)");

        await database.ExecuteAsync("INSERT INTO customers VALUES (1, 'Ann')");

        await tail.UntilAsync(static c => c.Key == RecordKey.Of("1"));
        await ExecuteAsync(stranger, "ROLLBACK");
    }

    [SkippableFact]
    public async Task A_record_changed_first_by_the_younger_transaction_is_told_in_the_order_of_its_commits()
    {
        await using var database =
            await TestDatabase.CreateAsync(postgres, Schema + "INSERT INTO customers VALUES (1, 'zero')");
        await using var tail = await OutboxTail.StartAsync(database);
        await tail.UntilAsync(static c => c.Operation == ChangeOperation.Read);
        await using var holder = await database.OpenAsync();
        await using var older = await database.OpenAsync();
        await using var younger = await database.OpenAsync();
        await ExecuteAsync(older, "BEGIN; INSERT INTO customers VALUES (7, 'gives the older its id')");
        await ExecuteAsync(holder, "BEGIN; INSERT INTO customers VALUES (8, 'stays at work')");
        await ExecuteAsync(younger, "BEGIN; UPDATE customers SET name = 'first' WHERE id = 1; COMMIT");
        await ExecuteAsync(older, "UPDATE customers SET name = 'second' WHERE id = 1; COMMIT");
        await tail.TurnsAsync(5);
        await ExecuteAsync(holder, "COMMIT");

        await tail.UntilAsync(static c => c.After?.Root.GetProperty("name").GetString() == "second");

        tail.Changes.Where(static c => c.Key == RecordKey.Of("1"))
            .Select(static c => c.After!.Root.GetProperty("name").GetString())
            .ShouldBe(["zero", "first", "second"]);
    }

    [SkippableFact]
    public async Task Writers_in_parallel_and_restarts_lose_nothing_and_keep_every_records_order()
    {
        await using var database = await TestDatabase.CreateAsync(
            postgres, Schema + "INSERT INTO customers SELECT i, '0' FROM generate_series(1, 3000) i");
        await using var tail = await OutboxTail.StartAsync(database);
        var writers = Enumerable.Range(0, 4).Select(w => Task.Run(() => WriteAsync(database, w))).ToList();
        for (var restart = 0; restart < 5; restart++)
        {
            await tail.TurnsAsync(6);
            await tail.RestartAsync();
        }

        await Task.WhenAll(writers);
        await database.ExecuteAsync("INSERT INTO customers VALUES (9999, 'end')");
        await tail.UntilAsync(static c => c.Key == RecordKey.Of("9999"));

        // The state that the changes tell, applied in order, is the state of the table; no record ever goes back in
        // time.
        var state = new Dictionary<string, string>();
        foreach (var change in tail.Changes)
        {
            var name = change.After!.Root.GetProperty("name").GetString()!;
            var key = change.Key.ToString();
            if (key != "9999" && state.TryGetValue(key, out var seen))
            {
                int.Parse(name).ShouldBeGreaterThanOrEqualTo(int.Parse(seen), $"record {key}");
            }

            state[key] = name;
        }

        (await database.ListAsync("SELECT id || '=' || name FROM customers ORDER BY id")).ShouldBe(
            state.OrderBy(static s => int.Parse(s.Key)).Select(static s => $"{s.Key}={s.Value}"));
    }

    [SkippableFact]
    public async Task Our_own_writes_carry_their_mark_and_switched_off_sessions_are_not_captured()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var tail = await OutboxTail.StartAsync(database);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        await sink.WriteAsync([SinkTests.Create("k1", """{"id":1,"name":"ours"}""")], CancellationToken.None);
        await database.ExecuteAsync(
            "SET duplex.reverse_off = 'true'; INSERT INTO customers VALUES (2, 'unseen'); RESET duplex.reverse_off");
        await database.ExecuteAsync("INSERT INTO customers VALUES (3, 'user')");
        await tail.UntilAsync(static c => c.Key == RecordKey.Of("3"));

        tail.Changes.Select(static c => (c.Key.ToString(), c.Origin)).ShouldBe([("1", "dx1:abcdefgh:k1"), ("3", null)]);
    }

    [SkippableFact]
    public async Task A_writer_without_any_right_on_the_outbox_can_write()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema + """
            DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'clerk';
            GRANT SELECT, INSERT ON customers TO clerk;
            """);
        await using var tail = await OutboxTail.StartAsync(database);
        var clerk = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "clerk", Password =
            "clerk" };
        await using var source = NpgsqlDataSource.Create(clerk);
        await using var command = source.CreateCommand("INSERT INTO customers VALUES (1, 'by clerk')");

        await command.ExecuteNonQueryAsync();

        await tail.UntilAsync(static c => c.Key == RecordKey.Of("1"));
    }

    [SkippableFact]
    public async Task Columns_that_come_and_go_are_decoded_as_they_were()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var tail = await OutboxTail.StartAsync(database);
        await tail.StopAsync();
        await database.ExecuteAsync("INSERT INTO customers (id, name) VALUES (1, 'old')");
        await database.ExecuteAsync(
            "ALTER TABLE customers DROP balance, ADD nick text; INSERT INTO customers VALUES (2, 'new')");
        await tail.RestartAsync();

        await tail.UntilAsync(static c => c.Key == RecordKey.Of("2"));

        tail.Changes.Select(static c => c.After!.ToString()).ShouldBe(
        [
            """{"id":1,"name":"old","balance":null,"seen":null,"raw":null}""",
            """{"id":2,"name":"new","seen":null,"raw":null,"nick":null}""",
        ]);
    }

    [SkippableFact]
    public async Task A_trigger_that_was_taken_away_is_a_gap_and_reading_anew_mends_it()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var tail = await OutboxTail.StartAsync(database);
        await database.ExecuteAsync("INSERT INTO customers VALUES (1, 'seen')");
        await tail.UntilAsync(static c => c.Key == RecordKey.Of("1"));
        await tail.StopAsync();
        await database.ExecuteAsync(
            "ALTER TABLE customers DISABLE TRIGGER ALL; INSERT INTO customers VALUES (2, 'missed')");

        var failure = await Should.ThrowAsync<SyncException>(tail.RestartAndReadAsync);
        failure.Error.Code.ShouldBe(ErrorCode.SourceGap);

        await tail.ResnapshotAsync();
        await tail.UntilAsync(static c => c.Key == RecordKey.Of("2"));
        tail.Position!.Epoch.ShouldBe(2);
    }

    [SkippableFact]
    public async Task Wide_rows_come_in_bounded_batches()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var tail = await OutboxTail.StartAsync(database);

        await database.ExecuteAsync(
            "INSERT INTO customers SELECT i, repeat('x', 1000000) FROM generate_series(1, 40) i");
        await tail.UntilAsync(static c => c.Key == RecordKey.Of("40"));

        tail.Changes.Count.ShouldBe(40);
        tail.LargestBatchBytes.ShouldBeLessThan(8_000_000);
    }

    [SkippableFact]
    public async Task Confirmed_entries_go_and_removal_leaves_nothing()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var tail = await OutboxTail.StartAsync(database);
        await database.ExecuteAsync("INSERT INTO customers SELECT i, 'x' FROM generate_series(1, 1200) i");
        await tail.UntilAsync(static c => c.Key == RecordKey.Of("1200"));
        await tail.StopAsync();

        await tail.ConfirmAsync();
        (await database.ScalarAsync<long>("SELECT count(*) FROM duplex.outbox")).ShouldBe(0);
        await tail.RemoveAsync();
        await tail.RemoveAsync();

        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'duplex%'")).ShouldBe(0);
        (await database.ScalarAsync<bool>("SELECT to_regclass('duplex.outbox') IS NULL")).ShouldBeTrue();
    }

    private static async Task WriteAsync(TestDatabase database, int seed)
    {
        var random = new Random(seed);
        await using var connection = await database.OpenAsync();
        for (var i = 0; i < 60; i++)
        {
            // Rows in ascending order, so that the writers wait for one another and do not lock each other out.
            var rows = Enumerable.Range(0, 5)
                .Select(_ => random.Next(4) == 0 ? random.Next(1, 20) : random.Next(1, 3000));
            var sql = string.Concat(rows.Distinct().Order().Select(static r =>
                $"UPDATE customers SET name = (name::int + 1)::text WHERE id = {r}; SELECT pg_sleep(0.002);"));
            await ExecuteAsync(connection, $"BEGIN; {sql} {(random.Next(5) == 0 ? "ROLLBACK" : "COMMIT")}");
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
