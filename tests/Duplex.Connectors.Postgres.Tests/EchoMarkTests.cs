using System.Text;
using Duplex.Connectors.Postgres.Sink;
using Duplex.Sdk;
using static Duplex.Connectors.Postgres.Tests.SinkTests;

namespace Duplex.Connectors.Postgres.Tests;

[Collection(PostgresCollection.Name)]
public sealed class EchoMarkTests(PostgresServer postgres)
{
    [SkippableFact]
    public async Task Each_of_our_writes_stands_behind_its_own_mark_and_a_users_write_behind_none()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, """
            CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL, code varchar(3));
            INSERT INTO customers (name) VALUES ('Old'), ('Two');
            CREATE PUBLICATION p FOR TABLE customers;
            """);
        await database.ScalarAsync<string>(
            "SELECT slot_name::text FROM pg_create_logical_replication_slot('echo', 'pgoutput')");
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        await sink.WriteAsync(
            [
                Create("k1", """{"name":"Ann"}"""),
                Create("bad", """{"name":"Bad","code":"too long"}"""),
                Update("same", "1", """{"name":"Old"}"""),
                Update("k2", "2", """{"name":"New"}"""),
            ],
            CancellationToken.None);
        await database.ExecuteAsync("UPDATE customers SET name = 'user' WHERE id = 1");

        (await ReadSlotAsync(database)).ShouldBe(
            ["mark dx1:abcdefgh:k1", "I", "mark dx1:abcdefgh:k2", "U", "commit", "U", "commit"]);
        await database.ExecuteAsync("SELECT pg_drop_replication_slot('echo')");
    }

    [SkippableFact]
    public async Task Triggers_see_the_mark_of_our_writes_and_none_afterwards()
    {
        await using var database = await TestDatabase.CreateAsync(postgres, """
            CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
            CREATE TABLE seen (mark text);
            CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO seen VALUES (coalesce(nullif(current_setting('duplex.origin', true), ''), 'none')); RETURN NULL; END $$;
            CREATE TRIGGER see AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION see();
            """);
        await using var sink = PostgresSink.Open(TestDatabase.Context, database.ConnectionString);

        await sink.WriteAsync([Create("k1", """{"name":"Ann"}"""), Create("k2", """{"name":"Bob"}""")],
            CancellationToken.None);
        await database.ExecuteAsync("INSERT INTO customers (name) VALUES ('user')");

        (await database.ListAsync("SELECT mark FROM seen")).ShouldBe(["dx1:abcdefgh:k1", "dx1:abcdefgh:k2", "none"]);
    }

    private static async Task<List<string>> ReadSlotAsync(TestDatabase database)
    {
        var messages = new List<string>();
        await using var connection = await database.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT data FROM pg_logical_slot_get_binary_changes(
                'echo', NULL, NULL, 'proto_version', '1', 'publication_names', 'p', 'messages', 'true')
            """;
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var data = reader.GetFieldValue<byte[]>(0);
            switch ((char)data[0])
            {
                case 'M':
                    var text = Encoding.UTF8.GetString(data.AsSpan(10));
                    text.ShouldStartWith("duplex\0");
                    messages.Add("mark " + text[(text.IndexOf("dx1:", StringComparison.Ordinal))..]);
                    break;
                case 'C':
                    messages.Add("commit");
                    break;
                case 'I' or 'U' or 'D':
                    messages.Add(((char)data[0]).ToString());
                    break;
            }
        }

        // A transaction that holds nothing of the publication (the ledger's own) is no news.
        while (messages is ["commit", ..])
        {
            messages.RemoveAt(0);
        }

        return messages;
    }
}
