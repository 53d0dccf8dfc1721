using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Pending records.</summary>
internal static class PendingRows
{
    private const string Columns = "key, due_us, since_us, attempts, offset, error, envelope";

    private const string Put = """
        INSERT INTO pending (leg, key, due_us, since_us, attempts, offset, error, envelope)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (leg, key) DO UPDATE SET
            due_us = excluded.due_us, since_us = excluded.since_us, attempts = excluded.attempts,
            offset = excluded.offset, error = excluded.error, envelope = excluded.envelope
        """;

    private const string Delete = "DELETE FROM pending WHERE leg = ?1 AND key = ?2";
    private const string FindOne = $"SELECT {Columns} FROM pending WHERE leg = ?1 AND key = ?2";
    private const string Due =
        $"SELECT {Columns} FROM pending WHERE leg = ?1 AND due_us <= ?2 ORDER BY due_us, id LIMIT ?3";
    private const string OldestSince = "SELECT min(since_us) FROM pending WHERE leg = ?1";
    private const string FirstDue = "SELECT min(due_us) FROM pending WHERE leg = ?1";

    internal static void Write(Database database, SyncNames names, Pending pending) =>
        database.Prepared(Put).Bind(1, names.Leg(pending.Leg)).Bind(2, pending.Key.Json)
            .Bind(3, pending.DueMicros).Bind(4, pending.SinceMicros).Bind(5, pending.Attempts).Bind(6, pending.Offset)
            .Bind(7, ErrorText.Write(pending.Error)).Bind(8, pending.Envelope.Span).Run();

    internal static void Remove(Database database, SyncNames names, LegId leg, RecordKey key) =>
        database.Prepared(Delete).Bind(1, names.Leg(leg)).Bind(2, key.Json).Run();

    internal static Pending?[] Find(Database database, SyncNames names, LegId leg, IReadOnlyList<RecordKey> keys)
    {
        var found = new Pending?[keys.Count];
        var row = database.Prepared(FindOne);
        Func<Statement, Pending> read = one => Read(one, leg);
        for (var index = 0; index < found.Length; index++)
        {
            found[index] = row.Bind(1, names.Leg(leg)).Bind(2, keys[index].Json).First(read);
        }

        return found;
    }

    internal static List<Pending> ListDue(Database database, SyncNames names, LegId leg, long nowMicros, int limit) =>
        database.Prepared(Due).Bind(1, names.Leg(leg)).Bind(2, nowMicros).Bind(3, limit).All(row => Read(row, leg));

    internal static (long Count, long OldestSinceMicros) Count(Database database, SyncNames names, LegId leg) =>
        (Tallies.Read(database, Tallies.Pending, names.Leg(leg)),
            database.Prepared(OldestSince).Bind(1, names.Leg(leg)).Scalar() ?? 0);

    internal static long? NextDue(Database database, SyncNames names, LegId leg) =>
        database.Prepared(FirstDue).Bind(1, names.Leg(leg)).Scalar();

    private static Pending Read(Statement row, LegId leg) => new(
        leg, RecordKey.FromJson(row.Text(0)), row.Blob(6).ToArray(), row.Int64(4), row.Int64(1), row.Int32(3),
            row.Int64(2),
        ErrorText.Read(row.TextOrNull(5)));
}
