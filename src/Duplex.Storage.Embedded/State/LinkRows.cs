using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Links and the keys that they once had.</summary>
internal static class LinkRows
{
    private const string Columns = "id, sync, a, b, version_a, version_b, state, shadow_a, shadow_b, marks";

    private const string Put = """
        INSERT INTO link (id, sync, a, b, version_a, version_b, state, shadow_a, shadow_b, marks, changed_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (id) DO UPDATE SET
            a = excluded.a, b = excluded.b, version_a = excluded.version_a, version_b = excluded.version_b,
            shadow_a = excluded.shadow_a, shadow_b = excluded.shadow_b, marks = excluded.marks,
            changed_us = CASE WHEN state = excluded.state THEN changed_us ELSE excluded.changed_us END,
            state = excluded.state
        """;

    private const string Former = "SELECT a, b, state, sync FROM link WHERE id = ?1";
    private const string Remember = "INSERT OR IGNORE INTO link_key (link, side, key) VALUES (?1, ?2, ?3)";
    private const string Delete = "DELETE FROM link WHERE id = ?1";
    private const string DeleteKeys = "DELETE FROM link_key WHERE link = ?1";
    private const string TakenA = "SELECT id FROM link WHERE sync = ?1 AND a = ?2 AND id <> ?3";
    private const string FindByA = $"SELECT {Columns} FROM link WHERE sync = ?1 AND a = ?2";
    private const string FindByB = $"SELECT {Columns} FROM link WHERE sync = ?1 AND b = ?2";
    private const string Tombstones = "SELECT id FROM link WHERE state = 1 AND changed_us < ?1 LIMIT ?2";

    private const string List = $"""
        SELECT {Columns} FROM link WHERE sync = ?1 AND state = 0 AND id > ?2 UNION ALL
        SELECT {Columns} FROM link WHERE sync = ?1 AND state = 1 AND id > ?2 UNION ALL
        SELECT {Columns} FROM link WHERE sync = ?1 AND state = 2 AND id > ?2 ORDER BY id LIMIT ?3
        """;

    private const string FormerLinks = """
        SELECT link.a, link.b, link.id FROM link_key JOIN link ON link.id = link_key.link
        WHERE link_key.key = ?2 AND link_key.side = ?3 AND link.sync = ?1
        """;

    private const string FormerKeys = "SELECT side, key FROM link_key WHERE link = ?1";

    internal static void Write(
        Database database, SyncNames names, Link link, long nowMicros, LinkCounts counts)
    {
        var sync = names.Number(link.Sync);
        if (ReadFormer(database, link.Id) is { } former)
        {
            RememberKeys(database, sync, link, former);
            counts.Change(former.State, sync, -1);
        }

        counts.Change(link.State, sync, 1);
        try
        {
            database.Prepared(Put).Bind(1, link.Id).Bind(2, sync)
                .Bind(3, Text(link.A)).Bind(4, Text(link.B))
                .Bind(5, link.VersionA).Bind(6, link.VersionB).Bind(7, (long)link.State)
                .Bind(8, link.ShadowA.Span).Bind(9, link.ShadowB.Span).Bind(10, link.Marks.Span).Bind(11, nowMicros)
                    .Run();
        }
        catch (SqliteException e) when (e.Code == SqliteNative.Constraint)
        {
            var taken = !link.A.IsEmpty && database.Prepared(TakenA)
                .Bind(1, sync).Bind(2, link.A.Json).Bind(3, link.Id).Scalar() is not null;
            throw taken
                ? new LinkTakenException(link.Sync, Side.A, link.A)
                : new LinkTakenException(link.Sync, Side.B, link.B);
        }
    }

    internal static void Remove(Database database, long id, LinkCounts counts)
    {
        if (ReadFormer(database, id) is { } former)
        {
            counts.Change(former.State, former.Sync, -1);
        }

        database.Prepared(Delete).Bind(1, id).Run();
        database.Prepared(DeleteKeys).Bind(1, id).Run();
    }

    internal static Link?[] Find(Database database, SyncNames names, string sync, Side side,
        IReadOnlyList<RecordKey> keys)
    {
        var links = new Link?[keys.Count];
        var number = names.Number(sync);
        var row = database.Prepared(side == Side.A ? FindByA : FindByB);
        Func<Statement, Link> read = found => Read(found, sync);
        for (var index = 0; index < links.Length; index++)
        {
            links[index] = keys[index].IsEmpty ? null : row.Bind(1, number).Bind(2, keys[index].Json).First(read);
        }

        return links;
    }

    internal static List<Link> ListAfter(Database database, SyncNames names, string sync, long afterId, int limit) =>
        database.Prepared(List).Bind(1, names.Number(sync)).Bind(2, afterId).Bind(3, limit)
            .All(row => Read(row, sync));

    internal static long Count(Database database, SyncNames names, string sync, LinkState state) =>
        Tallies.Read(database, (int)state, names.Number(sync));

    /// <summary>Removes tombstones that became so before the time; at most so many. Returns how many.</summary>
    internal static int RemoveTombstones(Database database, long beforeMicros, int limit)
    {
        var ids = database.Prepared(Tombstones).Bind(1, beforeMicros).Bind(2, limit).All(static row => row.Int64(0));
        var counts = new LinkCounts();
        ids.ForEach(id => Remove(database, id, counts));
        counts.Write(database);
        return ids.Count;
    }

    /// <summary>Every key of either side that the link which holds, or once held, the key ever had.</summary>
    internal static HashSet<(Side Side, string Key)> KeysOf(Database database, long sync, Side side, RecordKey key)
    {
        var keys = new HashSet<(Side Side, string Key)> { (side, key.Json) };
        var ids = new List<long>();
        Collect(database.Prepared(side == Side.A ? FindByA : FindByB).Bind(1, sync).Bind(2, key.Json), 0, 2);
        Collect(database.Prepared(FormerLinks).Bind(1, sync).Bind(2, key.Json).Bind(3, (long)side), 2, 0);
        foreach (var id in ids)
        {
            keys.UnionWith(
                database.Prepared(FormerKeys).Bind(1, id).All(static row => ((Side)row.Int32(0), row.Text(1))));
        }

        return keys;

        void Collect(Statement rows, int idColumn, int keyColumn)
        {
            while (rows.Step())
            {
                ids.Add(rows.Int64(idColumn));
                AddKey(Side.A, rows.TextOrNull(keyColumn));
                AddKey(Side.B, rows.TextOrNull(keyColumn + 1));
            }

            rows.Reset();
        }

        void AddKey(Side of, string? text)
        {
            if (text is not null)
            {
                keys.Add((of, text));
            }
        }
    }

    /// <summary>The key's text; null for the key that is not known.</summary>
    internal static string? Text(RecordKey key) => key.IsEmpty ? null : key.Json;

    /// <summary>The key of a column that may be NULL.</summary>
    internal static RecordKey Key(Statement row, int column) =>
        row.TextOrNull(column) is { Length: > 0 } text ? RecordKey.FromJson(text) : default;

    private static FormerLink? ReadFormer(Database database, long id) =>
        database.Prepared(Former).Bind(1, id).First(static row => (FormerLink?)new FormerLink(
            row.TextOrNull(0), row.TextOrNull(1), (LinkState)row.Int32(2), row.Int64(3)));

    private static void RememberKeys(Database database, long sync, Link link, FormerLink former)
    {
        var (a, b) = (former.A, former.B);
        if (a is not null && a != link.A.Json)
        {
            database.Prepared(Remember).Bind(1, link.Id).Bind(2, (long)Side.A).Bind(3, a).Run();
        }

        if (b is not null && b != link.B.Json)
        {
            database.Prepared(Remember).Bind(1, link.Id).Bind(2, (long)Side.B).Bind(3, b).Run();
        }

        if (a is not null && b is not null && !link.A.IsEmpty && !link.B.IsEmpty
            && (a != link.A.Json || b != link.B.Json))
        {
            ConflictRows.Follow(database, sync, (a, b), (link.A.Json, link.B.Json));
        }
    }

    private static Link Read(Statement row, string sync) => new()
    {
        Id = row.Int64(0),
        Sync = sync,
        A = Key(row, 2),
        B = Key(row, 3),
        VersionA = row.Int64(4),
        VersionB = row.Int64(5),
        State = (LinkState)row.Int32(6),
        ShadowA = row.Blob(7).ToArray(),
        ShadowB = row.Blob(8).ToArray(),
        Marks = row.Blob(9).ToArray(),
    };

    private readonly record struct FormerLink(string? A, string? B, LinkState State, long Sync);
}
