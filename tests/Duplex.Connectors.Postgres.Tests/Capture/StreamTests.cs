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
        changes.Select(static c => $"{ChangeEnvelope.Letter(c.Operation)}{c.Key}").ShouldBe(["r1", "r2", "c3", "u1", "d2"]);
        changes[0].After!.ToString().ShouldBe("""{"id":1,"name":"Ann \"A\" Ünal","balance":10.50,"vip":true}""");
        changes[1].After!.ToString().ShouldBe("""{"id":2,"name":null,"balance":"NaN","vip":false}""");
        changes[2].After!.ToString().ShouldBe("""{"id":3,"name":"tab\there","balance":7.00,"vip":null}""");
        changes[3].After!.ToString().ShouldBe("""{"id":1,"name":"Ann \"A\" Ünal","balance":11.00,"vip":true}""");
        changes[3].Before.ShouldBeNull();
        changes[4].Before!.ToString().ShouldBe("""{"id":2}""");
        changes[4].After.ShouldBeNull();
        changes.ShouldAllBe(static c => c.SourceMicros > 1_500_000_000_000_000 && c.Position.StartsWith("1:"));
    }
}
