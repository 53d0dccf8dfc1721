using Duplex.Connectors.Postgres.Sink;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Tests;

[Collection(PostgresCollection.Name)]
public sealed class SinkTests(PostgresServer postgres)
{
    private const string Customers = """
        CREATE TABLE customers (
            id serial PRIMARY KEY, name text NOT NULL, email text, balance numeric(12,2), born date, seen timestamptz,
            attrs jsonb, tags text[], code char(4), active boolean);
        CREATE TABLE written (column_name text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO written VALUES (TG_ARGV[0]); RETURN NULL; END $$;
        CREATE TRIGGER name_set AFTER UPDATE OF name ON customers FOR EACH ROW EXECUTE FUNCTION note('name');
        CREATE TRIGGER email_set AFTER UPDATE OF email ON customers FOR EACH ROW EXECUTE FUNCTION note('email');
        CREATE TRIGGER seen_set AFTER UPDATE OF seen ON customers FOR EACH ROW EXECUTE FUNCTION note('seen');
        """;

    [SkippableFact]
    public async Task A_create_gives_the_servers_key_and_the_stored_record()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        var outcome = await OneAsync(sink, Create("k1", """{"name":"Ann","balance":1.5,"attrs":{"plan":"pro"}}"""));

        outcome.Status.ShouldBe(WriteStatus.Applied, outcome.Error?.ToString());
        outcome.Key.ShouldBe(RecordKey.Of("1"));
        outcome.Current!.ToString().ShouldBe(
            """{"id":1,"name":"Ann","email":null,"balance":1.50,"born":null,"seen":null,"attrs":{"plan": "pro"},"""
            + "\"tags\":null,\"code\":null,\"active\":null}");
        outcome.AtMicros.ShouldBeGreaterThan(1_700_000_000_000_000);
    }

    [SkippableFact]
    public async Task An_update_sets_only_the_fields_that_differ()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await database.ExecuteAsync("INSERT INTO customers (name, email, balance) VALUES ('Ann', 'a@x', 1)");

        var outcome = await OneAsync(sink, Update("k1", "1", """{"name":"Ann","email":"b@x"}"""));

        outcome.Status.ShouldBe(WriteStatus.Applied);
        (await database.ListAsync("SELECT column_name FROM written")).ShouldBe(["email"]);
        (await database.ScalarAsync<string>("SELECT email FROM customers")).ShouldBe("b@x");
    }

    [SkippableTheory]
    [InlineData("""{"name":"Ann"}""")]
    [InlineData("""{"balance":1.5}""")]
    [InlineData("""{"balance":"1.500"}""")]
    [InlineData("""{"balance":1.499}""")]
    [InlineData("""{"seen":"2026-01-31T13:00:00+01:00"}""")]
    [InlineData("""{"born":"Jan 31 2026"}""")]
    [InlineData("""{"attrs":{"plan":"pro"}}""")]
    [InlineData("""{"attrs":{"n":1.0,"absent":null}}""")]
    [InlineData("""{"tags":["a","b c"]}""")]
    [InlineData("""{"tags":"{a,\"b c\"}"}""")]
    [InlineData("""{"code":"ab"}""")]
    [InlineData("""{"active":true}""")]
    [InlineData("""{"active":"yes"}""")]
    [InlineData("""{"email":null}""")]
    public async Task A_value_that_is_there_already_in_any_spelling_is_not_written(string fields)
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await InsertFullAsync(database);
        var before = await database.ScalarAsync<string>("SELECT xmin::text || ctid::text FROM customers");

        var outcome = await OneAsync(sink,
            Update("k1", "1", fields, expected: """{"name":"no","seen":null,"attrs":{"plan":"x"}}"""));

        outcome.Status.ShouldBe(WriteStatus.Applied, outcome.Error?.ToString());
        (await database.ScalarAsync<string>("SELECT xmin::text || ctid::text FROM customers")).ShouldBe(before);
    }

    [SkippableTheory]
    [InlineData("""{"name":"Bob"}""", """{"name":"Old"}""", true)]
    [InlineData("""{"name":"Bob"}""", """{"name":"Ann"}""", false)]
    [InlineData("""{"name":"Bob","email":"b@x"}""", """{"name":"Ann","email":"old@x"}""", true)]
    [InlineData("""{"seen":"2027-01-01 00:00:00+00"}""", """{"seen":"2026-01-31T13:00:00+01:00"}""", false)]
    [InlineData("""{"seen":"2027-01-01 00:00:00+00"}""", """{"seen":"2026-01-31T13:00:01+01:00"}""", true)]
    [InlineData("""{"balance":2}""", """{"balance":"1.5"}""", false)]
    [InlineData("""{"balance":2}""", """{"balance":null}""", true)]
    [InlineData("""{"attrs":{"plan":"free"}}""", """{"attrs":{"plan":"pro"}}""", false)]
    [InlineData("""{"attrs":{"plan":"free"}}""", """{"attrs":{"plan":"max"}}""", true)]
    [InlineData("""{"code":"zz"}""", """{"code":"ab"}""", false)]
    [InlineData("""{"name":"Bob"}""", null, false)]
    public async Task A_field_that_is_neither_as_expected_nor_as_wanted_is_a_conflict(
        string fields, string? expected, bool conflict)
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await InsertFullAsync(database);
        var before = await database.ScalarAsync<string>("SELECT customers::text FROM customers");

        var outcome = await OneAsync(sink, Update("k1", "1", fields, expected));

        outcome.Status.ShouldBe(conflict ? WriteStatus.Conflict : WriteStatus.Applied, outcome.Error?.ToString());
        outcome.Current.ShouldNotBeNull();
        if (conflict)
        {
            outcome.Current!.Root.GetProperty("name").GetString().ShouldBe("Ann");
            (await database.ScalarAsync<string>("SELECT customers::text FROM customers")).ShouldBe(before);
        }
    }

    [SkippableFact]
    public async Task A_nested_object_sets_only_the_members_that_it_names()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await InsertFullAsync(database);

        await OneAsync(sink, Update("k1", "1", """{"attrs":{"deep":{"b":null,"c":3},"plan":"free"}}"""));

        (await database.ScalarAsync<string>("SELECT attrs::text FROM customers")).ShouldBe(
            """{"n": 1, "deep": {"a": 1, "b": null, "c": 3}, "plan": "free"}""");
    }

    [SkippableFact]
    public async Task A_delete_compares_removes_and_says_when_the_row_is_gone()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await InsertFullAsync(database);

        (await OneAsync(sink, Delete("k1", "1", """{"name":"Bob","email":null}""")))
            .Status.ShouldBe(WriteStatus.Conflict);
        (await OneAsync(sink, Delete("k2", "1", """{"name":"Ann","email":null,"balance":1.5}""")))
            .Status.ShouldBe(WriteStatus.Applied);
        (await OneAsync(sink, Delete("k3", "1", null))).Error!.Code.ShouldBe(ErrorCode.SinkGone);
        (await database.ScalarAsync<long>("SELECT count(*) FROM customers")).ShouldBe(0);
    }

    [SkippableFact]
    public async Task An_update_of_a_row_that_is_gone_says_so()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        (await OneAsync(sink, Update("k1", "7", """{"name":"Bob"}"""))).Error!.Code.ShouldBe(ErrorCode.SinkGone);
    }

    [SkippableFact]
    public async Task A_repeated_write_changes_nothing_and_does_not_take_younger_edits_for_its_own()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        WriteRequest[] requests = [Create("k1", """{"name":"Ann"}"""), Create("k2", """{"name":"Bob"}""")];

        var first = await sink.WriteAsync(requests, CancellationToken.None);
        await database.ExecuteAsync("UPDATE customers SET name = 'Zoe' WHERE id = 2");
        await using var other = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        var second = await other.WriteAsync([.. requests, Create("k3", """{"name":"Cid"}""")], CancellationToken.None);

        second.Select(static o => o.Status).ShouldAllBe(static s => s == WriteStatus.Applied);
        second.Take(2).Select(static o => o.Key).ShouldBe(first.Select(static o => o.Key));
        second[1].Current.ShouldBeNull();
        (await database.ScalarAsync<string>("SELECT name FROM customers WHERE id = 2")).ShouldBe("Zoe");
        (await database.ScalarAsync<long>("SELECT count(*) FROM customers")).ShouldBe(3);
    }

    [SkippableFact]
    public async Task A_repeated_update_does_not_undo_what_a_user_did_after_it()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await InsertFullAsync(database);
        var update = Update("k1", "1", """{"name":"Bob"}""", """{"name":"Ann"}""");

        await OneAsync(sink, update);
        await database.ExecuteAsync("UPDATE customers SET name = 'Ann'");
        var repeated = await OneAsync(sink, update);

        repeated.Status.ShouldBe(WriteStatus.Applied);
        (await database.ScalarAsync<string>("SELECT name FROM customers")).ShouldBe("Ann");
    }

    [SkippableFact]
    public async Task An_idempotency_key_of_another_write_raises_the_alarm()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await OneAsync(sink, Create("k1", """{"name":"Ann"}"""));

        (await OneAsync(sink, Delete("k1", "1", null))).Error!.Code.ShouldBe(ErrorCode.SinkKeyReused);
        (await database.ScalarAsync<long>("SELECT count(*) FROM customers")).ShouldBe(1);
    }

    [SkippableFact]
    public async Task Two_writes_of_one_record_in_a_batch_happen_in_order()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, Customers);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        await InsertFullAsync(database);

        var outcomes = await sink.WriteAsync(
            [
                Update("k1", "1", """{"name":"Bob"}""", """{"name":"Ann"}"""),
                Update("k2", "1", """{"name":"Cid"}""", """{"name":"Bob"}"""),
                Delete("k3", "1", """{"name":"Cid"}"""),
            ],
            CancellationToken.None);

        outcomes.Select(static o => o.Status).ShouldAllBe(static s => s == WriteStatus.Applied);
    }

    [SkippableFact]
    public async Task Composite_keys_with_awkward_text_find_their_rows_and_a_key_change_is_told()
    {
        await using var database = await TestDatabase.CreateAsync(
            postgres, """CREATE TABLE "Odd ""T" ("Region" text, "No" bigint, "v{" text, PRIMARY KEY ("No", "Region"))""");
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);
        const string stream = "public.Odd \"T";
        var key = RecordKey.Of("7", "a,\"b\\{}'");

        var created = await OneAsync(sink, Create("k1", """{"v{":"x"}""") with { Stream = stream, Key = key });
        var moved = await OneAsync(sink, Update("k2", "", """{"No":8,"v{":"y"}""") with { Stream = stream, Key = key });

        created.Key.ShouldBe(key);
        moved.Status.ShouldBe(WriteStatus.Applied, moved.Error?.ToString());
        moved.Key.ShouldBe(RecordKey.Of("8", "a,\"b\\{}'"));
        moved.Current!.Root.GetProperty("v{").GetString().ShouldBe("y");
    }

    private static Task InsertFullAsync(TestDatabase database) => database.ExecuteAsync("""
        INSERT INTO customers (name, balance, born, seen, attrs, tags, code, active) VALUES
        ('Ann', 1.5, '2026-01-31', '2026-01-31 12:00:00+00', '{"plan":"pro","n":1,"deep":{"a":1,"b":2}}', '{a,"b c"}', 'ab', true)
        """);

    private static async Task<WriteOutcome> OneAsync(PostgresSink sink, WriteRequest request) =>
        (await sink.WriteAsync([request], CancellationToken.None)).ShouldHaveSingleItem();

    internal static WriteRequest Create(string idempotencyKey, string fields) => new()
    {
        Stream = "public.customers",
        Operation = WriteOperation.Create,
        Fields = Record.FromJson(fields),
        IdempotencyKey = OriginMarks.Make("abcdefgh", idempotencyKey),
    };

    internal static WriteRequest Update(string idempotencyKey, string key, string fields, string? expected = null) =>
        Create(idempotencyKey, fields) with
        {
            Operation = WriteOperation.Update,
            Key = RecordKey.Of(key),
            Expected = expected is null ? null : Record.FromJson(expected),
        };

    internal static WriteRequest Delete(string idempotencyKey, string key, string? expected) =>
        Update(idempotencyKey, key, "{}", expected) with { Operation = WriteOperation.Delete, Fields = null };
}
