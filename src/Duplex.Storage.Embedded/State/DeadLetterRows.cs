using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Dead letters.</summary>
internal static class DeadLetterRows
{
    private const string Columns = "id, leg, key, offset, attempts, at_us, error, envelope, stream";

    // A letter that is put back under its own number (an edit) keeps it; any other takes the next one, so that the
    // newest letter always has the highest number.
    private const string Put = """
        INSERT INTO dead_letter (id, leg, key, offset, attempts, at_us, error, envelope, stream)
        VALUES (CASE WHEN ?1 > 0 THEN ?1 END, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """;

    // A letter of a format that had no streams is each stream's.
    private const string Of = "leg = ?1 AND key = ?2 AND stream IN ('', ?3)";
    private const string Delete = $"DELETE FROM dead_letter WHERE {Of}";
    private const string IdOf = $"SELECT id FROM dead_letter WHERE {Of} ORDER BY stream DESC LIMIT 1";
    private const string FindByKey = $"SELECT {Columns} FROM dead_letter WHERE {Of} ORDER BY stream DESC LIMIT 1";
    private const string FindById = $"SELECT {Columns} FROM dead_letter WHERE id = ?1";
    private const string ListAll = $"SELECT {Columns} FROM dead_letter WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

    private const string ListOfSync = $"""
        SELECT {Columns} FROM dead_letter WHERE leg = ?3 AND id < ?1 UNION ALL
        SELECT {Columns} FROM dead_letter WHERE leg = ?3 + 1 AND id < ?1 ORDER BY id DESC LIMIT ?2
        """;

    internal static void Write(Database database, SyncNames names, DeadLetter letter)
    {
        var leg = names.Leg(letter.Leg);
        var former = database.Prepared(IdOf).Bind(1, leg).Bind(2, letter.Key.Json).Bind(3, letter.Stream).Scalar();
        if (former is not null)
        {
            Remove(database, names, letter.Leg, letter.Key, letter.Stream);
        }

        database.Prepared(Put).Bind(1, former == letter.Id ? letter.Id : 0).Bind(2, leg).Bind(3, letter.Key.Json)
            .Bind(4, letter.Offset).Bind(5, letter.Attempts).Bind(6, letter.AtMicros)
            .Bind(7, ErrorText.Write(letter.Error)).Bind(8, letter.Envelope.Span).Bind(9, letter.Stream).Run();
    }

    internal static void Remove(Database database, SyncNames names, LegId leg, RecordKey key, string stream) =>
        database.Prepared(Delete).Bind(1, names.Leg(leg)).Bind(2, key.Json).Bind(3, stream).Run();

    internal static List<DeadLetter> List(Database database, SyncNames names, string? sync, long beforeId, int limit)
    {
        var rows = database.Prepared(sync is null ? ListAll : ListOfSync)
            .Bind(1, beforeId > 0 ? beforeId : long.MaxValue).Bind(2, limit);
        if (sync is not null)
        {
            rows.Bind(3, names.Leg(new LegId(sync, Side.A)));
        }

        return rows.All(row => Read(row, names));
    }

    internal static DeadLetter? Find(Database database, SyncNames names, long id) =>
        database.Prepared(FindById).Bind(1, id).First(row => Read(row, names));

    internal static DeadLetter?[] Find(
        Database database, SyncNames names, LegId leg, string stream, IReadOnlyList<RecordKey> keys)
    {
        var letters = new DeadLetter?[keys.Count];
        var row = database.Prepared(FindByKey);
        Func<Statement, DeadLetter> read = found => Read(found, names);
        for (var index = 0; index < letters.Length; index++)
        {
            letters[index] = row.Bind(1, names.Leg(leg)).Bind(2, keys[index].Json).Bind(3, stream).First(read);
        }

        return letters;
    }

    internal static long Count(Database database, SyncNames names, LegId leg) =>
        Tallies.Read(database, Tallies.DeadLetters, names.Leg(leg));

    private static DeadLetter Read(Statement row, SyncNames names) => new(
        row.Int64(0), names.Leg(row.Int64(1)), RecordKey.FromJson(row.Text(2)), row.Blob(7).ToArray(), row.Int64(3),
        row.Int32(4), row.Int64(5), ErrorText.Read(row.Text(6))!)
    {
        Stream = row.Text(8),
    };
}
