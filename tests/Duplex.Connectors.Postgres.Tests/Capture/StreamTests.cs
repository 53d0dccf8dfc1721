using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Tests.Capture;

[Collection(PostgresCollection.Name)]
public sealed class StreamTests(PostgresServer server)
{
    [SkippableFact]
    public async Task Rows_that_exist_are_read_and_changes_follow_with_their_images()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TABLE customers (id int PRIMARY KEY, name text, balance numeric(12,2), vip boolean);
            INSERT INTO customers VALUES (1, 'Ann "A" Ünal', 10.50, true), (2, NULL, 'NaN', false);
            """);
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.customers"));
        await reading.UntilAsync(static l => l.Changes.Count == 2);
        await shop.RunAsync("""
            INSERT INTO customers VALUES (3, E'tab\there', 7, NULL);
            UPDATE customers SET balance = 11 WHERE id = 1;
            DELETE FROM customers WHERE id = 2;
            """);
        await reading.UntilAsync(static l => l.Changes.Count == 5);

        var changes = log.Changes;
        changes.Select(static c => $"{ChangeEnvelope.Letter(c.Operation)}{c.Key}")
            .ShouldBe(["r1", "r2", "c3", "u1", "d2"]);
        changes[0].After!.ToString().ShouldBe("""{"id":1,"name":"Ann \"A\" Ünal","balance":10.50,"vip":true}""");
        changes[1].After!.ToString().ShouldBe("""{"id":2,"name":null,"balance":"NaN","vip":false}""");
        changes[2].After!.ToString().ShouldBe("""{"id":3,"name":"tab\there","balance":7.00,"vip":null}""");
        changes[3].After!.ToString().ShouldBe("""{"id":1,"name":"Ann \"A\" Ünal","balance":11.00,"vip":true}""");
        changes[3].Before.ShouldBeNull();
        changes[4].Before!.ToString().ShouldBe("""{"id":2}""");
        changes[4].After.ShouldBeNull();
        changes.ShouldAllBe(static c => c.SourceMicros > 1_500_000_000_000_000 && c.Position.StartsWith("1:"));
    }

    [SkippableFact]
    public async Task A_large_value_that_an_update_leaves_alone_is_named_as_unchanged_and_never_null()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TABLE notes (id int PRIMARY KEY, title text, body text, doc jsonb);
            ALTER TABLE notes ALTER body SET STORAGE EXTERNAL, ALTER doc SET STORAGE EXTERNAL;
            INSERT INTO notes VALUES (1, 'a', repeat('x', 20000), jsonb_build_object('t', repeat('y', 20000)));
            """);
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.notes"));
        await reading.UntilAsync(static l => l.Changes.Count == 1);
        await shop.RunAsync("UPDATE notes SET title = 'b' WHERE id = 1; UPDATE notes SET body = NULL WHERE id = 1");
        await reading.UntilAsync(static l => l.Changes.Count == 3);

        log.Changes[1].After!.ToString().ShouldBe("""{"id":1,"title":"b"}""");
        log.Changes[1].Unchanged.ShouldBe(["body", "doc"]);
        log.Changes[2].After!.ToString().ShouldBe("""{"id":1,"title":"b","body":null}""");
        log.Changes[2].Unchanged.ShouldBe(["doc"]);
    }

    [SkippableFact]
    public async Task Under_full_identity_both_images_are_whole()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TABLE notes (id int PRIMARY KEY, title text, body text);
            ALTER TABLE notes ALTER body SET STORAGE EXTERNAL;
            ALTER TABLE notes REPLICA IDENTITY FULL;
            INSERT INTO notes VALUES (1, 'a', repeat('x', 3000));
            """);
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.notes"));
        await reading.UntilAsync(static l => l.Changes.Count == 1);
        await shop.RunAsync("UPDATE notes SET title = NULL; DELETE FROM notes");
        await reading.UntilAsync(static l => l.Changes.Count == 3);

        var body = new string('x', 3000);
        log.Changes[1].Before!.ToString().ShouldBe($$"""{"id":1,"title":"a","body":"{{body}}"}""");
        log.Changes[1].After!.ToString().ShouldBe($$"""{"id":1,"title":null,"body":"{{body}}"}""");
        log.Changes[1].Unchanged.ShouldBeEmpty();
        log.Changes[2].Before!.ToString().ShouldBe($$"""{"id":1,"title":null,"body":"{{body}}"}""");
    }

    [SkippableTheory]
    [InlineData("DEFAULT")]
    [InlineData("FULL")]
    public async Task A_change_of_the_key_names_the_key_before(string identity)
    {
        await using var shop = await CaptureShop.OpenAsync(server, $"""
            CREATE TABLE parts (name text, "Region" text, id int, PRIMARY KEY ("Region", id));
            ALTER TABLE parts REPLICA IDENTITY {identity};
            INSERT INTO parts VALUES ('a', 'eu "1"', 5), ('b', 'us', 6);
            """);
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("parts"));
        await reading.UntilAsync(static l => l.Changes.Count == 2);
        await shop.RunAsync("""
            UPDATE parts SET id = 7 WHERE id = 5; UPDATE parts SET name = 'c' WHERE id = 6; DELETE FROM parts WHERE id = 7
            """);
        await reading.UntilAsync(static l => l.Changes.Count == 5);

        log.Changes[2].Key.ShouldBe(RecordKey.Of("eu \"1\"", "7"));
        log.Changes[2].PreviousKey.ShouldBe(RecordKey.Of("eu \"1\"", "5"));
        log.Changes[3].PreviousKey.IsEmpty.ShouldBeTrue();
        log.Changes[4].Key.ShouldBe(RecordKey.Of("eu \"1\"", "7"));
        log.Changes.ShouldAllBe(static c => c.Stream == "parts");
    }

    [SkippableFact]
    public async Task A_truncate_is_told_for_each_table_without_a_key()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a);
            """);
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.a", "public.b"));
        await reading.CaughtUpAsync(shop);
        await shop.RunAsync("INSERT INTO a VALUES (1); TRUNCATE a CASCADE; INSERT INTO a VALUES (2)");
        await reading.UntilAsync(static l => l.Changes.Count == 4);

        var truncates = log.Changes.Where(static c => c.Operation == ChangeOperation.Truncate).ToArray();
        truncates.Select(static c => c.Stream).Order().ShouldBe(["public.a", "public.b"]);
        truncates.ShouldAllBe(static c => c.Key.IsEmpty && c.After == null && c.Before == null);
        log.Fold("public.a").Keys.ShouldBe(["[\"2\"]"]);
    }

    [SkippableFact]
    public async Task A_mark_that_a_transaction_starts_with_is_the_origin_of_all_its_changes_and_of_no_others()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.CaughtUpAsync(shop);
        await shop.RunAsync("INSERT INTO t VALUES (1)");
        await shop.RunAsync("""
            BEGIN; SELECT pg_logical_emit_message(true, 'duplex', 'dx1:inst2345:ab"c');
            INSERT INTO t VALUES (2); UPDATE t SET id = 3 WHERE id = 2; COMMIT
            """);
        await shop.RunAsync("""
            BEGIN; SELECT pg_logical_emit_message(true, 'other', 'dx1:inst2345:x'); INSERT INTO t VALUES (4); COMMIT
            """);
        await shop.RunAsync(
            "SELECT pg_logical_emit_message(false, 'duplex', 'dx1:inst2345:y'); INSERT INTO t VALUES (5)");
        await reading.UntilAsync(static l => l.Changes.Count == 5);

        const string Mark = "dx1:inst2345:ab\"c";
        log.Changes.Select(static c => c.Origin).ShouldBe([null, Mark, Mark, null, null]);
        OriginMarks.IsOurs(log.Changes[1].Origin, CaptureShop.Installation).ShouldBeTrue();
    }

    [SkippableFact]
    public async Task Each_change_has_the_columns_that_its_table_had_at_the_time()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, a int, b text)
            """);
        var log = new CaptureLog();
        await using (var reading = log.Read(shop.Source("public.t")))
        {
            await reading.CaughtUpAsync(shop);
        }

        // Written while nobody reads, so that the catalog is ahead of the log throughout.
        await shop.RunAsync("INSERT INTO t VALUES (1, 10, 'x')");
        await shop.RunAsync("ALTER TABLE t ADD c mood DEFAULT 'ok'; INSERT INTO t VALUES (2, 20, 'y', 'sad')");
        await shop.RunAsync("ALTER TABLE t DROP COLUMN a; INSERT INTO t VALUES (3, 'z')");
        await shop.RunAsync("ALTER TABLE t RENAME b TO bb; INSERT INTO t VALUES (4, 'w')");
        await shop.RunAsync(
            "ALTER TABLE t RENAME id TO key; INSERT INTO t VALUES (5, 'v'); UPDATE t SET bb = 'u' WHERE key = 1");
        await shop.RunAsync("BEGIN; INSERT INTO t VALUES (6, 'p'); ALTER TABLE t ALTER bb TYPE int USING 7; "
            + "INSERT INTO t VALUES (7, 8); COMMIT");

        await using var again = log.Read(shop.Source("public.t"));
        await again.UntilAsync(static l => l.Changes.Count == 8);
        log.Changes.Select(static c => c.After!.ToString()).ShouldBe(
        [
            """{"id":1,"a":10,"b":"x"}""",
            """{"id":2,"a":20,"b":"y","c":"sad"}""",
            """{"id":3,"b":"z","c":"ok"}""",
            """{"id":4,"bb":"w","c":"ok"}""",
            """{"key":5,"bb":"v","c":"ok"}""",
            """{"key":1,"bb":"u","c":"ok"}""",
            """{"key":6,"bb":"p","c":"ok"}""",
            """{"key":7,"bb":8,"c":"ok"}""",
        ]);
        log.Changes.Select(static c => c.Key.ToString()).ShouldBe(["1", "2", "3", "4", "5", "1", "6", "7"]);
    }

    [SkippableFact]
    public async Task Nothing_of_an_aborted_transaction_or_subtransaction_leaves()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("public.t"));
        await reading.CaughtUpAsync(shop);
        await shop.RunAsync("""
            BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s; INSERT INTO t SELECT generate_series(100, 20000); ROLLBACK TO s;
            INSERT INTO t VALUES (2); COMMIT
            """);
        await shop.RunAsync("BEGIN; INSERT INTO t SELECT generate_series(100, 20000); ROLLBACK");
        await shop.RunAsync("INSERT INTO t VALUES (3)");
        await reading.UntilAsync(static l => l.Changes.Any(static c => c.Key.ToString() == "3"));
        log.Changes.Select(static c => c.Key.ToString()).ShouldBe(["1", "2", "3"]);
    }

    [SkippableFact]
    public async Task Names_that_need_quotes_and_values_of_every_kind_come_through()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE SCHEMA "Sch ""e";
            CREATE TABLE "Sch ""e"."Tab.le" ("I""d" bigint PRIMARY KEY, "K" int[], "ü" timestamptz, j json, n numeric, by bytea);
            """);
        var log = new CaptureLog();
        await using var reading = log.Read(shop.Source("Sch \"e.Tab.le"));
        await reading.CaughtUpAsync(shop);
        await shop.RunAsync("""
            INSERT INTO "Sch ""e"."Tab.le" VALUES
              (9007199254740993, '{1,NULL,3}', '2026-01-31 12:00:00.5+02', '{"a": 1e400}', 1e50 + 0.1, '\xdeadbeef'),
              (2, '{}', 'infinity', '"s"', 'Infinity', '')
            """);
        await reading.UntilAsync(static l => l.Changes.Count == 2);
        log.Changes[0].After!.ToString().ShouldBe(
            """{"I\"d":9007199254740993,"K":[1,null,3],"ü":"2026-01-31 10:00:00.5+00","j":{"a": 1e400},"""
            + "\"n\":100000000000000000000000000000000000000000000000000.1,\"by\":\"\\\\xdeadbeef\"}");
        log.Changes[1].After!.ToString().ShouldBe(
            """{"I\"d":2,"K":[],"ü":"infinity","j":"\"s\"","n":"Infinity","by":"\\x"}""");
    }
}
