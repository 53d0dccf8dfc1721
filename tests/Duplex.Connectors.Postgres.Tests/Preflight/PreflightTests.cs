using Duplex.Connectors.Postgres.Tests.Capture;
using Duplex.Sdk;
using Duplex.Simulators.Postgres;
using Npgsql;

namespace Duplex.Connectors.Postgres.Tests.Preflight;

[Collection(PostgresCollection.Name)]
public sealed class PreflightTests(PostgresServer server)
{
    public static TheoryData<string, string, string> Obstacles => new()
    {
        { "postgres.no_table", "public.absent", "" },
        { "postgres.not_a_table", "pg_catalog.pg_class", "" },
        { "postgres.not_a_table", "public.seen", "CREATE VIEW seen AS SELECT 1 AS id" },
        { "postgres.unlogged", "public.quick", "CREATE UNLOGGED TABLE quick (id int PRIMARY KEY)" },
        { "postgres.replica_identity", "public.mute",
            "CREATE TABLE mute (id int PRIMARY KEY); ALTER TABLE mute REPLICA IDENTITY NOTHING" },
        {
            "postgres.replica_identity", "public.other",
            "CREATE TABLE other (id int PRIMARY KEY, code int NOT NULL UNIQUE); "
            + "ALTER TABLE other REPLICA IDENTITY USING INDEX other_code_key"
        },
        { "postgres.no_key", "public.bare", "CREATE TABLE bare (id int)" },
    };

    [SkippableTheory]
    [MemberData(nameof(Obstacles))]
    public async Task An_obstacle_is_an_error_and_its_fix_removes_it(string code, string stream, string sql)
    {
        await using var shop = await CaptureShop.OpenAsync(server, $"SELECT 1; {sql}");
        var finding = (await CheckAsync(shop.Context, stream)).ShouldHaveSingleItem();
        finding.Severity.ShouldBe(FindingSeverity.Error);
        finding.Code.ShouldBe(code);
        finding.Path.ShouldBe($"/connections/{shop.Context.Connection}");
        if (finding.Suggestion!.StartsWith("ALTER TABLE", StringComparison.Ordinal) && code != "postgres.no_key")
        {
            await shop.RunAsync(finding.Suggestion[..(finding.Suggestion.IndexOf(';') + 1)]);
            (await CheckAsync(shop.Context, stream)).ShouldBeEmpty();
        }
    }

    [SkippableFact]
    public async Task A_table_that_is_ready_has_no_error_and_is_told_what_full_identity_would_give()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)
            """);
        var findings = await new PostgresConnector().CheckAsync(
            shop.Context, [new StreamUse("public.t", true, true, true)], CancellationToken.None);
        findings.ShouldNotContain(static f => f.Severity == FindingSeverity.Error);
        findings.Select(static f => f.Code).Order().ShouldBe(
            ["postgres.generated_columns", "postgres.replica_identity", "postgres.slot_wal_unbounded"]);

        await shop.RunAsync(findings.Single(static f => f.Code == "postgres.replica_identity").Suggestion!);
        (await new PostgresConnector().CheckAsync(
            shop.Context, [new StreamUse("public.t", true, false, false)], CancellationToken.None))
            .ShouldNotContain(static f => f.Code == "postgres.replica_identity");
    }

    [SkippableFact]
    public async Task A_poor_role_learns_every_missing_privilege_at_once_and_works_after_the_fixes()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE SCHEMA sales; CREATE TABLE sales.orders (id int PRIMARY KEY, v int); INSERT INTO sales.orders VALUES (1, 1)
            """);
        var role = "poor_" + shop.Context.Connection;
        await shop.RunAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret'");
        var poor = CaptureShop.ContextFor(
            new NpgsqlConnectionStringBuilder(shop.ConnectionString) { Username = role, Password =
                "secret" }.ConnectionString);
        var use = new StreamUse("sales.orders", true, true, false);
        try
        {
            var findings = await new PostgresConnector().CheckAsync(poor, [use], CancellationToken.None);
            var errors = findings.Where(static f => f.Severity == FindingSeverity.Error).ToArray();
            errors.Select(static f => f.Code).ShouldBe(
            [
                "postgres.replication_role", "postgres.schema_privilege", "postgres.select_privilege",
                    "postgres.no_publication",
                "postgres.write_privilege", "postgres.ledger_create",
            ]);
            foreach (var error in errors)
            {
                var statement = error.Suggestion!.Replace("As the owner: ", "", StringComparison.Ordinal);
                await shop.RunAsync(statement[..(statement.IndexOf(';') + 1)]);
            }

            (await new PostgresConnector().CheckAsync(poor, [use], CancellationToken.None))
                .ShouldNotContain(static f => f.Severity == FindingSeverity.Error);
            var log = new CaptureLog();
            await using var reading = log.Read(new PostgresConnector().OpenSource(poor, ["sales.orders"]));
            await reading.CaughtUpAsync(shop);
            await shop.RunAsync("UPDATE sales.orders SET v = 2");
            await reading.CaughtUpAsync(shop);
            log.Fold("sales.orders")["[\"1\"]"].ShouldBe("""{"id":1,"v":2}""");
        }
        finally
        {
            await Eventually.HoldsAsync(async () => (bool)(await shop.RunAsync(
                $"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = '{role}')"))!);
            await shop.RunAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
        }
    }

    [SkippableFact]
    public async Task A_poor_role_learns_what_capture_by_triggers_wants_and_works_after_the_fixes()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY); CREATE SCHEMA duplex");
        var role = "poor_" + shop.Context.Connection;
        await shop.RunAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret'");
        try
        {
            var login = new NpgsqlConnectionStringBuilder(shop.ConnectionString) { Username = role, Password = "secret" };
            var poor = CaptureShop.ContextFor(login.ConnectionString, new Dictionary<string, object> { ["capture"] = "outbox" });
            var errors = await CheckAsync(poor, "public.t");
            errors.Select(static f => f.Code).ShouldBe(["postgres.outbox_create", "postgres.not_owner"]);
            foreach (var error in errors)
            {
                await shop.RunAsync(error.Suggestion![..(error.Suggestion!.IndexOf(';') + 1)]);
            }

            (await CheckAsync(poor, "public.t")).ShouldBeEmpty();
            await shop.RunAsync("CREATE TABLE duplex.outbox (id int)");
            (await CheckAsync(poor, "public.t")).ShouldHaveSingleItem().Code.ShouldBe("postgres.outbox_privilege");
        }
        finally
        {
            await shop.RunAsync($"DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
        }
    }

    [SkippableFact]
    public async Task A_name_that_no_slot_can_have_is_an_error()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        ConnectorContext With(string slot) =>
            CaptureShop.ContextFor(shop.ConnectionString, new Dictionary<string, object> { ["slot"] = slot });

        (await CheckAsync(With("Bad Slot"), "public.t")).ShouldHaveSingleItem().Code.ShouldBe("postgres.slot_name");
        (await CheckAsync(With("good_slot_1"), "public.t")).ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task Row_security_that_would_hide_rows_from_a_snapshot_is_an_error()
    {
        await using var shop = await CaptureShop.OpenAsync(
            server, "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY");
        var role = "hidden_" + shop.Context.Connection;
        await shop.RunAsync($"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'secret'; GRANT SELECT ON t TO {role}");
        var context = CaptureShop.ContextFor(
            new NpgsqlConnectionStringBuilder(shop.ConnectionString) { Username = role, Password =
                "secret" }.ConnectionString);
        var codes = (await CheckAsync(context, "public.t")).Select(static f => f.Code);
        await shop.RunAsync($"DROP OWNED BY {role}; DROP ROLE {role}");
        codes.ShouldContain("postgres.row_security");
    }

    [SkippableFact]
    public async Task A_slot_that_is_older_than_its_publication_is_refused_and_left_alone()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        var slot = "early_" + shop.Context.Connection;
        await shop.RunAsync($"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')");
        var context = CaptureShop.ContextFor(shop.ConnectionString, new Dictionary<string, object> { ["slot"] = slot });
        (await CheckAsync(context, "public.t")).ShouldHaveSingleItem()
            .Code.ShouldBe("postgres.slot_before_publication");

        var log = new CaptureLog();
        await using (var reading = log.Read(new PostgresConnector().OpenSource(context, ["public.t"])))
        {
            (await reading.Ended)!.Code.ShouldBe(ErrorCode.SourceMisconfigured);
        }

        (await shop.RunAsync($"""
            SELECT (SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name = '{slot}')
                   * 10 + (SELECT count(*) FROM pg_publication)
            """)).ShouldBe(10L);
    }

    [SkippableFact]
    public async Task A_publication_that_leaves_operations_out_is_refused()
    {
        await using var shop = await CaptureShop.OpenAsync(server, """
            CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION partly FOR TABLE t WITH (publish = 'insert')
            """);
        var context = CaptureShop.ContextFor(shop.ConnectionString, new Dictionary<string,
            object> { ["publication"] = "partly" });
        var finding = (await CheckAsync(context, "public.t")).ShouldHaveSingleItem();
        finding.Code.ShouldBe("postgres.publication_operations");
        await shop.RunAsync(finding.Suggestion!);
        (await CheckAsync(context, "public.t")).ShouldBeEmpty();
    }

    [SkippableFact]
    public async Task A_server_without_logical_decoding_or_free_slots_is_told_how_to_get_them()
    {
        PostgresServer.SkipWithoutPostgres();
        await using var own = await PrivatePostgres.StartAsync(new PrivatePostgresOptions
        {
            Settings = new Dictionary<string, string> { ["wal_level"] = "replica", ["max_replication_slots"] = "0" },
        });
        await using var shop = await CaptureShop.OpenAsync(own, "CREATE TABLE t (id int PRIMARY KEY)");
        var findings = await CheckAsync(shop.Context, "public.t");
        findings.Select(static f => f.Code).ShouldBe(["postgres.wal_level", "postgres.replication_slots"]);
        findings.ShouldAllBe(static f => f.Suggestion!.StartsWith("ALTER SYSTEM SET "));
    }

    [SkippableFact]
    public async Task Nobody_who_answers_and_a_refused_login_are_findings_too()
    {
        await using var shop = await CaptureShop.OpenAsync(server, "CREATE TABLE t (id int PRIMARY KEY)");
        var builder = new NpgsqlConnectionStringBuilder(shop.ConnectionString);
        (string Change, string Code)[] cases =
            [("port", "source.unavailable"), ("password", "source.unauthorized"), ("database", "source.misconfigured")];
        foreach (var (change, code) in cases)
        {
            var context = CaptureShop.ContextFor(shop.ConnectionString, new Dictionary<string, object>
            {
                [change] = change == "port" ? "1" : "wrong",
            });
            var finding = (await CheckAsync(context, "public.t")).ShouldHaveSingleItem();
            finding.Code.ShouldBe(code);
            finding.Message.ShouldNotContain(builder.Password!.Length > 3 ? "wrong;" : "password=");
        }
    }

    private static async Task<IReadOnlyList<Finding>> CheckAsync(ConnectorContext context, string stream) =>
        [.. (await new PostgresConnector()
            .CheckAsync(context, [new StreamUse(stream, true, false, false)], CancellationToken.None))
            .Where(static f => f.Severity == FindingSeverity.Error)];
}
