using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Intents.</summary>
internal static class IntentRows
{
    private const string Put = """
        INSERT INTO intent (leg, key, idempotency, offset, at_us, fields, envelope) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (leg, key) DO UPDATE SET
            idempotency = excluded.idempotency, offset = excluded.offset, at_us = excluded.at_us,
            fields = excluded.fields, envelope = excluded.envelope
        """;

    private const string Delete = "DELETE FROM intent WHERE leg = ?1 AND key = ?2";

    private const string ListAll =
        "SELECT key, idempotency, offset, at_us, fields, envelope FROM intent WHERE leg = ?1 ORDER BY at_us, id";

    internal static void Write(Database database, SyncNames names, Intent intent) =>
        database.Prepared(Put).Bind(1, names.Leg(intent.Leg)).Bind(2, intent.Key.Json).Bind(3, intent.IdempotencyKey)
            .Bind(4, intent.Offset).Bind(5, intent.AtMicros).Bind(6, intent.Fields.Span).Bind(7, intent.Envelope.Span)
                .Run();

    internal static void Remove(Database database, SyncNames names, LegId leg, RecordKey key) =>
        database.Prepared(Delete).Bind(1, names.Leg(leg)).Bind(2, key.Json).Run();

    internal static List<Intent> List(Database database, SyncNames names, LegId leg) =>
        database.Prepared(ListAll).Bind(1, names.Leg(leg)).All(row =>
            new Intent(leg, RecordKey.FromJson(row.Text(0)), row.Text(1), row.Blob(4).ToArray(),
                row.Blob(5).ToArray(), row.Int64(2), row.Int64(3)));
}
