using Duplex.Connectors.Postgres.Sink;
using Duplex.Sdk;
using Npgsql;
using static Duplex.Connectors.Postgres.Tests.SinkTests;

namespace Duplex.Connectors.Postgres.Tests;

[Collection(PostgresCollection.Name)]
public sealed class SinkFailureTests(PostgresServer postgres)
{
    private const string Schema = """
        CREATE TYPE plan AS ENUM ('free', 'pro');
        CREATE DOMAIN cents AS int CHECK (VALUE >= 0);
        CREATE TABLE orgs (id int PRIMARY KEY);
        CREATE TABLE customers (
            id serial PRIMARY KEY, name text NOT NULL, email text CONSTRAINT email_once UNIQUE, code varchar(4),
            balance numeric(5,2), born date, plan plan, debt cents, org int REFERENCES orgs, small int2, age int CHECK (age > 0),
            sum int GENERATED ALWAYS AS (age + 1) STORED, attrs jsonb,
            late int CONSTRAINT late_once UNIQUE DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO customers (id, name, email, late) VALUES (1000, 'Old', 'old@x', 100);
        """;

    [SkippableTheory]
    [InlineData("""{"email":"a@x"}""", ErrorCode.SinkRejected, "name")]
    [InlineData("""{"name":null}""", ErrorCode.SinkRejected, "name")]
    [InlineData("""{"name":"A","email":"old@x"}""", ErrorCode.SinkConstraint, "email")]
    [InlineData("""{"id":1000,"name":"A"}""", ErrorCode.SinkExists, "id")]
    [InlineData("""{"name":"A","code":"12345"}""", ErrorCode.SinkRejected, "code")]
    [InlineData("""{"name":"A","balance":1000}""", ErrorCode.SinkRejected, "balance")]
    [InlineData("""{"name":"A","born":"yesterday-ish"}""", ErrorCode.SinkRejected, "born")]
    [InlineData("""{"name":"A","born":"2026-02-30"}""", ErrorCode.SinkRejected, "born")]
    [InlineData("""{"name":"A","plan":"max"}""", ErrorCode.SinkRejected, "plan")]
    [InlineData("""{"name":"A","debt":-1}""", ErrorCode.SinkRejected, null)]
    [InlineData("""{"name":"A","org":5}""", ErrorCode.SinkConstraint, "org")]
    [InlineData("""{"name":"A","small":40000}""", ErrorCode.SinkRejected, "small")]
    [InlineData("""{"name":"A","small":1.5}""", ErrorCode.SinkRejected, "small")]
    [InlineData("""{"name":"A","age":0}""", ErrorCode.SinkRejected, "age")]
    [InlineData("""{"name":"A","sum":3}""", ErrorCode.SinkRejected, "sum")]
    [InlineData("""{"name":"A","attrs":"{not json"}""", ErrorCode.SinkRejected, "attrs")]
    [InlineData("""{"name":"A\u0000B"}""", ErrorCode.SinkRejected, "name")]
    [InlineData("""{"name":"A","nick":"B"}""", ErrorCode.SinkRejected, "nick")]
    [InlineData("""{"name":"A","late":100}""", ErrorCode.SinkConstraint, "late")]
    public async Task A_refused_record_fails_alone_and_its_field_is_named(string fields, ErrorCode code, string? field)
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        var outcomes = await sink.WriteAsync(
            [Create("k1", """{"name":"before"}"""), Create("k2", fields), Create("k3", """{"name":"after"}""")],
            CancellationToken.None);

        outcomes.Select(static o => o.Status).ShouldBe([WriteStatus.Applied, WriteStatus.Failed, WriteStatus.Applied]);
        outcomes[1].Error!.Code.ShouldBe(code);
        outcomes[1].Error!.Path.ShouldBe(field, outcomes[1].Error!.ToString());
        outcomes[1].Error!.Message.ShouldNotContain("yesterday");
        (await database.ListAsync("SELECT name FROM customers WHERE id <> 1000 ORDER BY id"))
            .ShouldBe(["before", "after"]);
    }

    [SkippableFact]
    public async Task Poison_anywhere_in_a_full_batch_leaves_the_others_standing()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        int[] poison = [0, 1, 17, 250, 251, 498, 499];
        var requests = Enumerable.Range(0, 500)
            .Select(i => Create($"k{i}", $$"""{"name":{{(poison.Contains(i) ? "null" : $"\"n{i}\"")}}}"""))
            .ToList();

        var outcomes = await sink.WriteAsync(requests, CancellationToken.None);

        Enumerable.Range(0, 500).Where(i => outcomes[i].Status != WriteStatus.Applied).ShouldBe(poison);
        Enumerable.Range(0, 500).Where(i => !poison.Contains(i)).ShouldAllBe(
            i => outcomes[i].Current!.Root.GetProperty("name").GetString() == $"n{i}");
        (await database.ScalarAsync<long>("SELECT count(DISTINCT name) FROM customers")).ShouldBe(494);
    }

    [SkippableFact]
    public async Task A_create_that_finds_its_key_taken_tells_the_row_that_has_it()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        var outcome = (await sink.WriteAsync(
            [Create("k1", """{"id":"01000","name":"A"}""")], CancellationToken.None))[0];

        outcome.Error!.Code.ShouldBe(ErrorCode.SinkExists);
        outcome.Key.ShouldBe(RecordKey.Of("1000"));
        outcome.Current!.Root.GetProperty("name").GetString().ShouldBe("Old");
    }

    [SkippableTheory]
    [InlineData(null, "email", "\"old@x\"")]
    [InlineData("1001", "email", "\"old@x\"")]
    [InlineData(null, "late", "100")]
    [InlineData("1001", "late", "100")]
    public async Task A_write_that_finds_a_unique_value_taken_tells_the_row_that_has_it(string? key, string field, string value)
    {
        await using var database = await TestDatabase.CreateAsync(
            postgres, Schema + "INSERT INTO customers (id, name) VALUES (1001, 'Other');");
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        var request = Create("k1", $$"""{"name":"A","{{field}}":{{value}}}""");
        request = key is null ? request : request with { Operation = WriteOperation.Update, Key = RecordKey.Of(key) };

        var outcomes = await sink.WriteAsync([request, Create("k2", """{"name":"B"}""")], CancellationToken.None);

        outcomes[0].Error!.Code.ShouldBe(ErrorCode.SinkConstraint);
        outcomes[0].Key.ShouldBe(RecordKey.Of("1000"));
        outcomes[1].Status.ShouldBe(WriteStatus.Applied);
    }

    [SkippableFact]
    public async Task A_sequence_that_lags_behind_the_rows_is_told_from_a_record_that_exists()
    {
        await using var database =
            await TestDatabase.CreateAsync(postgres, Schema + "SELECT setval('customers_id_seq', 999);");
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        var outcome = (await sink.WriteAsync([Create("k1", """{"name":"A"}""")], CancellationToken.None))[0];

        outcome.Error!.Code.ShouldBe(ErrorCode.SinkRejected);
        outcome.Error.Suggestion!.ShouldContain("setval");
    }

    [SkippableFact]
    public async Task A_key_that_its_type_cannot_hold_fails_alone()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        var outcomes = await sink.WriteAsync(
            [
                Update("k1", "abc", """{"name":"x"}"""),
                Update("k2", "1000", """{"name":"New"}"""),
                Update("k3", "[\"1\",\"2\"]", """{"name":"x"}""") with { Key = RecordKey.Of("1", "2") },
            ],
            CancellationToken.None);

        outcomes.Select(static o => o.Status).ShouldBe([WriteStatus.Failed, WriteStatus.Applied, WriteStatus.Failed]);
        outcomes.Select(static o => o.Error?.Code).ShouldBe([ErrorCode.SinkRejected, null, ErrorCode.SinkRejected]);
    }

    [SkippableFact]
    public async Task A_backend_killed_in_the_middle_of_a_batch_leaves_nothing_and_the_repeat_writes_once()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema + """
            CREATE SEQUENCE fuse;
            CREATE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.name = 'n25' AND nextval('fuse') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                RETURN NEW; END $$;
            CREATE TRIGGER blow BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION blow();
            """);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        var requests = Enumerable.Range(0, 50).Select(static i => Create($"k{i}", $$"""{"name":"n{{i}}"}""")).ToList();

        var first = await sink.WriteAsync(requests, CancellationToken.None);
        first.ShouldAllBe(static o => o.Error!.Code == ErrorCode.SinkUnavailable);
        (await database.ScalarAsync<long>("SELECT count(*) FROM customers")).ShouldBe(1);

        var second = await sink.WriteAsync(requests, CancellationToken.None);
        second.ShouldAllBe(static o => o.Status == WriteStatus.Applied);
        (await database.ScalarAsync<long>("SELECT count(*) FROM customers")).ShouldBe(51);
    }

    [SkippableFact]
    public async Task A_commit_whose_answer_is_lost_is_found_by_the_repeat()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var proxy = new CuttingProxy(postgres.Server.Port, "COMMIT\0"u8.ToArray());
        var through = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Port = proxy.Port, SslMode =
            SslMode.Disable };
        await using var sink = PostgresSink.Open(TestDatabase.Context, through.ConnectionString);
        WriteRequest[] requests = [Create("k1", """{"name":"Ann"}"""), Create("k2", """{"name":"Bob"}""")];

        proxy.Armed = true;
        var first = await sink.WriteAsync(requests, CancellationToken.None);
        first.ShouldAllBe(static o => o.Error!.Code == ErrorCode.SinkUnavailable);
        proxy.Cuts.ShouldBe(1);
        (await database.ScalarAsync<long>("SELECT count(*) FROM customers")).ShouldBe(3);

        proxy.Armed = false;
        var second = await sink.WriteAsync(requests, CancellationToken.None);
        second.Select(static o => (o.Status, o.Key)).ShouldBe(
            [(WriteStatus.Applied, RecordKey.Of("1")), (WriteStatus.Applied, RecordKey.Of("2"))]);
        (await database.ScalarAsync<long>("SELECT count(*) FROM customers")).ShouldBe(3);
    }

    [SkippableFact]
    public async Task Two_workers_under_one_idempotency_key_write_once()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var one = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await using var two = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        var rounds = Enumerable.Range(0, 20).Select(static i => Create($"k{i}", """{"name":"Ann"}""")).ToList();

        foreach (var request in rounds)
        {
            var both = await Task.WhenAll(
                one.WriteAsync([request], CancellationToken.None), two.WriteAsync([request], CancellationToken.None));
            both.ShouldAllBe(static o => o[0].Status == WriteStatus.Applied || o[0].Error!.Code == ErrorCode.SinkBusy);
        }

        (await database.ScalarAsync<long>("SELECT count(*) FROM customers WHERE name = 'Ann'")).ShouldBe(20);
    }

    [SkippableFact]
    public async Task A_table_that_is_altered_under_the_sink_is_read_anew()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        for (var i = 0; i < 4; i++)
        {
            await sink.WriteAsync([Create($"a{i}", """{"name":"Ann","small":1}""")], CancellationToken.None);
        }

        await database.ExecuteAsync("ALTER TABLE customers ADD nick text, ALTER small TYPE text, DROP born");
        var outcomes = await sink.WriteAsync(
            [Create("k1", """{"name":"Bob","nick":"B","small":"large"}"""), Create("k2", """{"name":null}""")],
            CancellationToken.None);

        outcomes[0].Status.ShouldBe(WriteStatus.Applied, outcomes[0].Error?.ToString());
        outcomes[0].Current!.Root.GetProperty("small").GetString().ShouldBe("large");
        outcomes[1].Error!.Path.ShouldBe("name");
    }

    [SkippableFact]
    public async Task Missing_privileges_tables_and_keys_call_for_a_person()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Schema + """
            CREATE TABLE keyless (name text);
            DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN PASSWORD 'weak';
            CREATE SCHEMA duplex; GRANT USAGE ON SCHEMA duplex TO weak;
            """);
        await using (var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString))
        {
            (await WriteAsync(sink, "public.nothing")).Code.ShouldBe(ErrorCode.ConfigInvalid);
            (await WriteAsync(sink, "public.keyless")).Code.ShouldBe(ErrorCode.ConfigInvalid);
        }

        var weak = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "weak", Password =
            "weak" };
        await using (var sink = PostgresSink.Open(TestDatabase.Context, weak.ConnectionString))
        {
            var ledger = await WriteAsync(sink, "public.customers");
            ledger.Code.ShouldBe(ErrorCode.SinkUnauthorized);
            ledger.Suggestion!.ShouldContain("CREATE TABLE IF NOT EXISTS duplex.writes");

            await database.ExecuteAsync("GRANT CREATE ON SCHEMA duplex TO weak");
            var table = await WriteAsync(sink, "public.customers");
            table.Code.ShouldBe(ErrorCode.SinkUnauthorized);
            table.Message.ShouldContain("customers");
        }

        weak.Password = "wrong";
        await using (var sink = PostgresSink.Open(TestDatabase.Context, weak.ConnectionString))
        {
            (await WriteAsync(sink, "public.customers")).Code.ShouldBe(ErrorCode.SinkUnauthorized);
        }

        weak.Port = 1;
        await using (var sink = PostgresSink.Open(TestDatabase.Context, weak.ConnectionString))
        {
            (await WriteAsync(sink, "public.customers")).Code.ShouldBe(ErrorCode.SinkUnavailable);
        }
    }

    private static async Task<SyncError> WriteAsync(PostgresSink sink, string stream)
    {
        var outcomes = await sink.WriteAsync(
            [Create("k1", """{"name":"Ann"}""") with { Stream = stream }], CancellationToken.None);
        return outcomes[0].Error!;
    }
}
