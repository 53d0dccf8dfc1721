namespace Duplex.Storage.Embedded.State;

/// <summary>
/// The tables of <c>state.db</c>. A leg is its sync's number times two, plus one for side B. Keys are their canonical
/// text; an unknown key of a link is NULL.
/// </summary>
internal static class StateSql
{
    /// <summary>The file. Its format is raised with every change of the tables.</summary>
    internal static readonly StoreSchema Schema =
        new("state", 4, PageBytes: 4096, CacheBytes: 48 << 20, Tables + Tallies.Tables + VersionRows.Tables)
        {
            Upgrades = ["ALTER TABLE conflict ADD COLUMN base TEXT", VersionRows.Tables, StreamsOfDeadLetters],
        };

    internal const string StreamsOfDeadLetters = """
        ALTER TABLE dead_letter ADD COLUMN stream TEXT NOT NULL DEFAULT '';
        DROP INDEX dead_letter_key;
        """;

    internal const string Tables = """
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS sync (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE IF NOT EXISTS owner (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS position (
            leg INTEGER NOT NULL, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
            PRIMARY KEY (leg, topic, number)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS link (
            id INTEGER PRIMARY KEY, sync INTEGER NOT NULL, a TEXT, b TEXT,
            version_a INTEGER NOT NULL, version_b INTEGER NOT NULL, state INTEGER NOT NULL, changed_us INTEGER NOT NULL,
            shadow_a BLOB NOT NULL, shadow_b BLOB NOT NULL, marks BLOB NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS link_a ON link (sync, a) WHERE a IS NOT NULL;
        CREATE UNIQUE INDEX IF NOT EXISTS link_b ON link (sync, b) WHERE b IS NOT NULL;
        CREATE INDEX IF NOT EXISTS link_state ON link (sync, state);
        CREATE INDEX IF NOT EXISTS link_tombstone ON link (changed_us) WHERE state = 1;
        CREATE TABLE IF NOT EXISTS link_key (
            link INTEGER NOT NULL, side INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (link, side, key)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS link_key_key ON link_key (key);
        CREATE TABLE IF NOT EXISTS pending (
            id INTEGER PRIMARY KEY, leg INTEGER NOT NULL, key TEXT NOT NULL, due_us INTEGER NOT NULL,
            since_us INTEGER NOT NULL, attempts INTEGER NOT NULL, offset INTEGER NOT NULL, error TEXT, envelope BLOB NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS pending_key ON pending (leg, key);
        CREATE INDEX IF NOT EXISTS pending_due ON pending (leg, due_us);
        CREATE INDEX IF NOT EXISTS pending_since ON pending (leg, since_us);
        CREATE TABLE IF NOT EXISTS dead_letter (
            id INTEGER PRIMARY KEY AUTOINCREMENT, leg INTEGER NOT NULL, key TEXT NOT NULL, offset INTEGER NOT NULL,
            attempts INTEGER NOT NULL, at_us INTEGER NOT NULL, error TEXT NOT NULL, envelope BLOB NOT NULL,
            stream TEXT NOT NULL DEFAULT '');
        CREATE UNIQUE INDEX IF NOT EXISTS dead_letter_key ON dead_letter (leg, key, stream);
        CREATE INDEX IF NOT EXISTS dead_letter_leg ON dead_letter (leg);
        CREATE TABLE IF NOT EXISTS intent (
            id INTEGER PRIMARY KEY, leg INTEGER NOT NULL, key TEXT NOT NULL, idempotency TEXT NOT NULL,
            offset INTEGER NOT NULL, at_us INTEGER NOT NULL, fields BLOB NOT NULL, envelope BLOB NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS intent_key ON intent (leg, key);
        CREATE TABLE IF NOT EXISTS candidate (
            sync INTEGER NOT NULL, side INTEGER NOT NULL, key TEXT NOT NULL, match TEXT,
            PRIMARY KEY (sync, side, key)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS candidate_match ON candidate (sync, match, side);
        CREATE TABLE IF NOT EXISTS timeline (
            id INTEGER PRIMARY KEY, sync INTEGER NOT NULL, a TEXT, b TEXT, at_us INTEGER NOT NULL,
            kind INTEGER NOT NULL, side INTEGER NOT NULL, detail BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS timeline_a ON timeline (sync, a) WHERE a IS NOT NULL;
        CREATE INDEX IF NOT EXISTS timeline_b ON timeline (sync, b) WHERE b IS NOT NULL;
        CREATE TABLE IF NOT EXISTS conflict (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sync INTEGER NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, rule TEXT NOT NULL,
            value_a TEXT NOT NULL, value_b TEXT NOT NULL, winner INTEGER, policy TEXT NOT NULL, at_us INTEGER NOT NULL, base TEXT);
        CREATE UNIQUE INDEX IF NOT EXISTS conflict_waiting ON conflict (sync, a, b, rule) WHERE winner IS NULL;
        CREATE INDEX IF NOT EXISTS conflict_sync ON conflict (sync);
        CREATE INDEX IF NOT EXISTS conflict_resolved ON conflict (at_us) WHERE winner IS NOT NULL;
        CREATE TABLE IF NOT EXISTS value (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

        """;

    internal const string ReadMeta = "SELECT value FROM meta WHERE name = ?1";

    internal const string PutMeta =
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

    internal const string LoadSyncs = "SELECT id, name FROM sync";

    internal const string InsertSync = "INSERT INTO sync (name) VALUES (?1)";

    internal const string Acquire = """
        INSERT INTO owner (name, epoch) VALUES (?1, 1)
        ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1 RETURNING epoch
        """;

    internal const string ReadEpoch = "SELECT epoch FROM owner WHERE name = ?1";

    internal const string PutPosition = """
        INSERT INTO position (leg, topic, number, next) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (leg, topic, number) DO UPDATE SET next = max(next, excluded.next)
        """;

    internal const string ReadPositions =
        "SELECT topic, number, next FROM position WHERE leg = ?1 ORDER BY topic, number";

    internal const string ReadValue = "SELECT value FROM value WHERE name = ?1";

    /// <summary>No name goes on behind its prefix with the last code point there is, U+10FFFF, which stands for no
    /// character.</summary>
    internal const string ListValues = """
        SELECT name, value FROM value WHERE name >= ?1 AND name < ?1 || char(1114111) ORDER BY name
        """;

    internal const string PutValue =
        "INSERT INTO value (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

    internal const string DeleteValue = "DELETE FROM value WHERE name = ?1";
}
