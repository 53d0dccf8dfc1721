using Duplex.Connectors.Postgres.Reading;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Tests;

[Collection(PostgresCollection.Name)]
public sealed class ReaderTests(PostgresServer postgres)
{
    [SkippableFact]
    public async Task Records_come_in_the_order_of_the_keys_and_missing_ones_as_null()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, """
            CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c')
            """);
        await using var reader = PostgresReader.Open(database.ConnectionString);

        var found = await reader.FetchAsync(
            "public.t",
            [RecordKey.Of("3"), RecordKey.Of("9"), RecordKey.Of("abc"), RecordKey.Of("1", "2"), RecordKey.Of("2"),
                default],
            CancellationToken.None);

        found.Select(static f => f?.Record.ToString()).ShouldBe(
            ["""{"id":3,"v":"c"}""", null, null, null, """{"id":2,"v":null}""", null]);
        found[0]!.Key.ShouldBe(RecordKey.Of("3"));
        found[0]!.AtMicros.ShouldBeGreaterThan(1_700_000_000_000_000);
    }

    [SkippableFact]
    public async Task Every_record_is_listed_once_in_bounded_pages()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, """
            CREATE TABLE t (region text, no numeric, v text, PRIMARY KEY (region, no));
            INSERT INTO t SELECT chr(97 + i % 3), i / 10.0, repeat('x', CASE WHEN i % 700 = 0 THEN 3000000 ELSE 3 END)
            FROM generate_series(1, 3500) i
            """);
        await using var reader = PostgresReader.Open(database.ConnectionString);
        var keys = new List<RecordKey>();
        await foreach (var page in reader.ListAsync("public.t", CancellationToken.None))
        {
            page.Sum(static r => r.Record.Utf8.Length).ShouldBeLessThan(8_000_000);
            keys.AddRange(page.Select(static r => r.Key));
        }

        keys.Count.ShouldBe(3500);
        keys.Distinct().Count().ShouldBe(3500);
        (await reader.EstimateAsync("public.t", CancellationToken.None)).ShouldBe(3500);
    }

    [SkippableFact]
    public async Task A_missing_table_is_a_fault_of_the_configuration()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, "SELECT 1");
        await using var reader = PostgresReader.Open(database.ConnectionString);

        var failure = await Should.ThrowAsync<SyncException>(() =>
            reader.EstimateAsync("public.nothing", CancellationToken.None));

        failure.Error.Code.ShouldBe(ErrorCode.ConfigInvalid);
    }
}
