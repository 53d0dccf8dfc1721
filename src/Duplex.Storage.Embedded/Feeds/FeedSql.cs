namespace Duplex.Storage.Embedded.Feeds;

/// <summary>The tables of <c>feed.db</c> and the statements on them.</summary>
internal static class FeedSql
{
    /// <summary>The file. Its format is raised with every change of the tables or of the block format.</summary>
    internal static readonly StoreSchema Schema = new("feed", 1, PageBytes: 8192, CacheBytes: 8 << 20, Tables);

    // A block's number is its feed's number and its first offset in one integer (BlockNumber), so that a feed lies
    // together and in order without a second index. A record has a delivery row only once a delivery was recorded.
    internal const string Tables = """
        CREATE TABLE IF NOT EXISTS feed (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, age_us INTEGER NOT NULL,
            bytes_max INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL, bytes INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS block (
            id INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, at_us INTEGER NOT NULL,
            crc INTEGER NOT NULL, data BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS feed_table (
            id INTEGER PRIMARY KEY, feed INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (feed, name));
        CREATE TABLE IF NOT EXISTS table_block (
            feed_table INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (feed_table, block)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS source (
            id INTEGER PRIMARY KEY, feed INTEGER NOT NULL, name TEXT NOT NULL, last INTEGER NOT NULL, UNIQUE (feed, name));
        CREATE TABLE IF NOT EXISTS consumer (
            feed INTEGER NOT NULL, name TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (feed, name)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS acknowledgement (
            feed INTEGER NOT NULL, upto INTEGER NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY (feed, upto)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS delivery (
            feed INTEGER NOT NULL, record INTEGER NOT NULL, status INTEGER NOT NULL, attempts INTEGER NOT NULL,
            at_us INTEGER NOT NULL, error TEXT, PRIMARY KEY (feed, record)) WITHOUT ROWID;
        """;

    internal const string LoadFeeds =
        "SELECT id, name, epoch, age_us, bytes_max, first, next, bytes FROM feed ORDER BY id";

    internal const string LoadTables = "SELECT id, name FROM feed_table WHERE feed = ?1";

    internal const string LoadSources = "SELECT id, name, last FROM source WHERE feed = ?1";

    internal const string LastFeed = "SELECT max(id) FROM feed";

    internal const string InsertFeed = """
        INSERT INTO feed (name, epoch, age_us, bytes_max, first, next, bytes) VALUES (?1, 1, ?2, ?3, 1, 1, 0)
        """;

    internal const string TakeFeed = "UPDATE feed SET epoch = ?2, age_us = ?3, bytes_max = ?4 WHERE id = ?1";

    internal const string UpdateFeed = "UPDATE feed SET first = ?2, next = ?3, bytes = ?4 WHERE id = ?1";

    internal const string InsertTable = "INSERT INTO feed_table (feed, name) VALUES (?1, ?2)";

    internal const string InsertSource = "INSERT INTO source (feed, name, last) VALUES (?1, ?2, -1)";

    internal const string UpdateSource = "UPDATE source SET last = ?2 WHERE id = ?1";

    internal const string InsertBlock =
        "INSERT INTO block (id, count, bytes, at_us, crc, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

    internal const string InsertTableBlock = "INSERT INTO table_block (feed_table, block) VALUES (?1, ?2)";

    internal const string OldestBlock = "SELECT at_us FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";

    internal const string FirstBlock =
        "SELECT id, count, bytes, at_us FROM block WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1";

    internal const string DeleteBlock = "DELETE FROM block WHERE id = ?1";

    internal const string DeleteTableBlocks = "DELETE FROM table_block WHERE feed_table = ?1 AND block < ?2";

    internal const string DeleteDeliveries = "DELETE FROM delivery WHERE feed = ?1 AND record < ?2";

    internal const string DeleteAcknowledgements = "DELETE FROM acknowledgement WHERE feed = ?1 AND upto < ?2";

    internal const string ReadBlocks = """
        SELECT id, count, at_us, crc, data FROM block
        WHERE id >= (SELECT max(id) FROM block WHERE id BETWEEN ?1 AND ?2) AND id <= ?3 ORDER BY id
        """;

    internal const string ReadBlocksOfTable = """
        SELECT b.id, b.count, b.at_us, b.crc, b.data FROM table_block t CROSS JOIN block b ON b.id = t.block
        WHERE t.feed_table = ?4 AND t.block <= ?3 AND t.block >= coalesce(
            (SELECT max(block) FROM table_block WHERE feed_table = ?4 AND block BETWEEN ?1 AND ?2), ?1)
        ORDER BY t.block
        """;

    internal const string NextDelivery = """
        SELECT record, status, attempts, at_us, error FROM delivery
        WHERE feed = ?1 AND record >= ?2 ORDER BY record LIMIT 1
        """;

    internal const string NextAcknowledgement =
        "SELECT upto, at_us FROM acknowledgement WHERE feed = ?1 AND upto >= ?2 ORDER BY upto LIMIT 1";

    internal const string PutDelivery = """
        INSERT INTO delivery (feed, record, status, attempts, at_us, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (feed, record) DO UPDATE SET status = excluded.status, attempts = excluded.attempts,
            at_us = excluded.at_us, error = excluded.error
        """;

    internal const string ReadConsumer = "SELECT last FROM consumer WHERE feed = ?1 AND name = ?2";

    internal const string ListConsumers = "SELECT name, last FROM consumer WHERE feed = ?1";

    internal const string AdvanceConsumer = """
        INSERT INTO consumer (feed, name, last) VALUES (?1, ?2, ?3)
        ON CONFLICT (feed, name) DO UPDATE SET last = max(last, excluded.last)
        """;

    internal const string RewindConsumer = """
        INSERT INTO consumer (feed, name, last) VALUES (?1, ?2, ?3)
        ON CONFLICT (feed, name) DO UPDATE SET last = excluded.last
        """;

    internal const string LastAcknowledgement = "SELECT max(upto) FROM acknowledgement WHERE feed = ?1";

    internal const string InsertAcknowledgement =
        "INSERT INTO acknowledgement (feed, upto, at_us) VALUES (?1, ?2, ?3)";
}
