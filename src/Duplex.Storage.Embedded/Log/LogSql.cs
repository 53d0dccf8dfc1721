namespace Duplex.Storage.Embedded.Log;

/// <summary>The tables of <c>log.db</c> and the statements on them.</summary>
internal static class LogSql
{
    /// <summary>The file. Its format is raised with every change of the tables or of the block format.</summary>
    internal static readonly StoreSchema Schema = new("log", 2, PageBytes: 8192, CacheBytes: 8 << 20, Tables)
    {
        Upgrades = [IdentityTable],
    };

    internal const string Identity = "SELECT id FROM identity WHERE only = 1";

    // Made with the file, and with one of the first format when it is opened; a copy of the file keeps it.
    internal const string IdentityTable = """
        CREATE TABLE IF NOT EXISTS identity (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL);
        INSERT OR IGNORE INTO identity (only, id) VALUES (1, lower(hex(randomblob(16))));

        """;

    // A block's number is its partition's number and its first offset in one integer (BlockNumber), so that a partition
    // lies together and in order without a second index.
    internal const string Tables = IdentityTable + """
        CREATE TABLE IF NOT EXISTS topic (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age_us INTEGER NOT NULL, bytes_max INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS partition (
            id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, number INTEGER NOT NULL,
            first INTEGER NOT NULL, next INTEGER NOT NULL, bytes INTEGER NOT NULL, UNIQUE (topic, number));
        CREATE TABLE IF NOT EXISTS block (
            id INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, at_us INTEGER NOT NULL,
            deliveries INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS delivery (
            topic INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (topic, id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS source (
            name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL, token TEXT)
            WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS consumer (
            name TEXT NOT NULL, topic INTEGER NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
            PRIMARY KEY (name, topic, number)) WITHOUT ROWID;
        """;

    internal const string LoadTopics = "SELECT id, name, age_us, bytes_max FROM topic ORDER BY id";

    internal const string LoadPartitions =
        "SELECT id, number, first, next, bytes FROM partition WHERE topic = ?1 ORDER BY number";

    internal const string LoadConsumers = "SELECT name, number, next FROM consumer WHERE topic = ?1";

    internal const string LoadSources = "SELECT name, epoch, major, minor, token FROM source";

    internal const string OldestBlock = "SELECT at_us FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";

    internal const string InsertTopic = "INSERT INTO topic (name, age_us, bytes_max) VALUES (?1, ?2, ?3)";

    internal const string UpdateTopic = "UPDATE topic SET age_us = ?2, bytes_max = ?3 WHERE id = ?1";

    internal const string InsertPartition =
        "INSERT INTO partition (topic, number, first, next, bytes) VALUES (?1, ?2, 0, 0, 0)";

    internal const string LastPartition = "SELECT max(id) FROM partition";

    internal const string UpdatePartition = "UPDATE partition SET first = ?2, next = ?3, bytes = ?4 WHERE id = ?1";

    internal const string InsertBlock =
        "INSERT INTO block (id, count, bytes, at_us, deliveries, crc, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    internal const string ReadBlocks = """
        SELECT id, count, at_us, crc, data FROM block
        WHERE id >= (SELECT max(id) FROM block WHERE id BETWEEN ?1 AND ?2) AND id <= ?3 ORDER BY id
        """;

    internal const string FirstBlock =
        "SELECT id, count, bytes, at_us, deliveries FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";

    internal const string BlockData = "SELECT data FROM block WHERE id = ?1";

    internal const string DeleteBlock = "DELETE FROM block WHERE id = ?1";

    internal const string InsertDelivery = "INSERT OR IGNORE INTO delivery (topic, id) VALUES (?1, ?2)";

    internal const string FindDelivery = """
        SELECT id FROM delivery WHERE topic = ?1 AND id = ?2
        UNION ALL SELECT id FROM delivery WHERE topic = ?1 AND id > ?3 AND id < ?4 LIMIT 1
        """;

    internal const string DeleteDelivery = "DELETE FROM delivery WHERE topic = ?1 AND id = ?2";

    internal const string PutSource = """
        INSERT INTO source (name, epoch, major, minor, token) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET
            epoch = excluded.epoch, major = excluded.major, minor = excluded.minor, token = excluded.token
        """;

    internal const string PutConsumer = """
        INSERT INTO consumer (name, topic, number, next) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (name, topic, number) DO UPDATE SET next = excluded.next
        """;

    internal const string DeleteConsumer = "DELETE FROM consumer WHERE name = ?1";
}
