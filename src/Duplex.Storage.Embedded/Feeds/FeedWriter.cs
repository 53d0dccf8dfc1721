using System.Collections.Concurrent;
using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Log;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Feeds;

/// <summary>
/// The writing half of the feeds. Records of all callers of a group that go to one feed become one run of offsets.
/// Every member but <see cref="Find"/>, <see cref="Get"/> and <see cref="All"/> is called on the writer's thread.
/// </summary>
internal sealed class FeedWriter(Database database, TimeProvider clock) : IGroupObserver
{
    private readonly ConcurrentDictionary<string, FeedLog> _feeds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FeedLog> _stagedFeeds = new(StringComparer.Ordinal);
    private readonly HashSet<FeedLog> _staged = [];

    /// <summary>Every feed.</summary>
    public ICollection<FeedLog> All => _feeds.Values;

    public FeedLog? Find(string name) => _feeds.GetValueOrDefault(name);

    public FeedLog Get(string name) => Find(name) ?? throw FeedRefusals.Unknown(name);

    public void Load()
    {
        foreach (var feed in database.Prepared(FeedSql.LoadFeeds).All(Read))
        {
            database.Prepared(FeedSql.LoadTables).Bind(1, feed.Id).All(row => (row.Int64(0), row.Text(1)))
                .ForEach(table => feed.Tables.Add(table.Item2, table.Item1));
            database.Prepared(FeedSql.LoadSources).Bind(1, feed.Id)
                .All(row => (row.Int64(0), row.Text(1), row.Int64(2)))
                .ForEach(source => feed.AddSource(source.Item2, source.Item1, source.Item3));
            _feeds[feed.Name] = feed;
        }
    }

    /// <summary>Creates the feed or takes it over, and returns its new epoch.</summary>
    public long Acquire(FeedSpec spec)
    {
        var feed = Find(spec.Name) ?? _stagedFeeds.GetValueOrDefault(spec.Name);
        if (feed is null)
        {
            feed = Create(spec);
            _stagedFeeds.Add(spec.Name, feed);
        }
        else
        {
            feed.StagedEpoch++;
            database.Prepared(FeedSql.TakeFeed).Bind(1, feed.Id).Bind(2, feed.StagedEpoch)
                .Bind(3, TopicCatalog.Micros(spec.RetentionAge)).Bind(4, spec.RetentionBytes).Run();
        }

        feed.AgeMicros = TopicCatalog.Micros(spec.RetentionAge);
        feed.BytesMax = spec.RetentionBytes;
        _staged.Add(feed);
        return feed.StagedEpoch;
    }

    /// <summary>Adds items to the group.</summary>
    public FeedAppend Append(FeedLog feed, long epoch, string source, IReadOnlyList<FeedItem> items)
    {
        if (epoch != feed.StagedEpoch)
        {
            throw FeedRefusals.Fenced(feed.Name, epoch, feed.StagedEpoch);
        }

        var sourceNumber = Number(feed, feed.Sources, source, FeedSql.InsertSource);
        var last = feed.StagedLastOffset(sourceNumber);
        var micros = clock.NowMicros();
        var dropped = 0;
        string? table = null;
        var tableNumber = 0L;
        for (var index = 0; index < items.Count; index++)
        {
            var item = items[index];
            if (item.SourceOffset <= last)
            {
                dropped++;
                continue;
            }

            if (!ReferenceEquals(table, item.Table))
            {
                table = item.Table;
                tableNumber = Number(feed, feed.Tables, table, FeedSql.InsertTable);
            }

            feed.Stage(database, item, tableNumber, sourceNumber, micros);
            last = item.SourceOffset;
        }

        if (dropped < items.Count)
        {
            feed.StageLastOffset(sourceNumber, last);
        }

        _staged.Add(feed);
        return new FeedAppend(feed.StagedNext - 1, dropped);
    }

    /// <summary>Stores how far a consumer has got, and what it has acknowledged thereby.</summary>
    public bool Commit(FeedLog feed, string consumer, long offset, bool rewind)
    {
        database.Prepared(rewind ? FeedSql.RewindConsumer : FeedSql.AdvanceConsumer)
            .Bind(1, feed.Id).Bind(2, consumer).Bind(3, offset).Run();
        var acknowledged = database.Prepared(FeedSql.LastAcknowledgement).Bind(1, feed.Id).Scalar() ?? 0;
        if (offset > acknowledged)
        {
            database.Prepared(FeedSql.InsertAcknowledgement)
                .Bind(1, feed.Id).Bind(2, offset).Bind(3, clock.NowMicros()).Run();
        }

        return true;
    }

    /// <summary>Stores what became of deliveries.</summary>
    public bool Record(FeedLog feed, FeedDelivery[] deliveries)
    {
        var micros = clock.NowMicros();
        var put = database.Prepared(FeedSql.PutDelivery);
        foreach (var delivery in deliveries)
        {
            if (delivery.Offset >= feed.Staged.First && delivery.Offset < feed.StagedNext)
            {
                put.Bind(1, feed.Id).Bind(2, delivery.Offset).Bind(3, (long)delivery.Status)
                    .Bind(4, delivery.Attempts).Bind(5, micros).Bind(6, delivery.Error).Run();
            }
        }

        return true;
    }

    /// <summary>Removes blocks that are too old or too many; the number of records that went. At most
    /// <paramref name="blocksMax"/> blocks at once, so that appends do not wait.</summary>
    public long Trim(FeedLog feed, int blocksMax)
    {
        var before = feed.Staged.First;
        var cutoff = clock.NowMicros() - feed.AgeMicros;
        while (blocksMax-- > 0 && !feed.Staged.IsEmpty
            && (feed.Staged.OldestMicros < cutoff || feed.Staged.Bytes > feed.BytesMax))
        {
            RemoveFirst(feed);
        }

        var removed = feed.Staged.First - before;
        if (removed > 0)
        {
            _staged.Add(feed);
            RemoveNotes(feed);
        }

        return removed;
    }

    /// <inheritdoc/>
    public void Committing()
    {
        foreach (var feed in _staged)
        {
            feed.WriteStaged(database);
        }
    }

    /// <inheritdoc/>
    public void Committed()
    {
        foreach (var feed in _staged)
        {
            feed.Publish();
        }

        foreach (var feed in _stagedFeeds.Values)
        {
            _feeds[feed.Name] = feed;
        }

        _stagedFeeds.Clear();
        _staged.Clear();
    }

    /// <inheritdoc/>
    public void RolledBack()
    {
        foreach (var feed in _staged)
        {
            feed.Unstage();
        }

        _stagedFeeds.Clear();
        _staged.Clear();
    }

    private FeedLog Read(Statement row)
    {
        var id = row.Int64(0);
        var oldest = database.Prepared(FeedSql.OldestBlock)
            .Bind(1, BlockNumber.Of(id, 0)).Bind(2, BlockNumber.Last(id)).Scalar() ?? 0;
        return new FeedLog(id, row.Text(1), row.Int64(2), new Extent(row.Int64(5), row.Int64(6), row.Int64(7), oldest))
        {
            AgeMicros = row.Int64(3),
            BytesMax = row.Int64(4),
        };
    }

    private FeedLog Create(FeedSpec spec)
    {
        if ((database.Prepared(FeedSql.LastFeed).Scalar() ?? 0) >= BlockNumber.PartitionMax)
        {
            throw new SyncException(ErrorCode.StorageFull, $"The feed store has no number left for feed {spec.Name}.",
                "Give some of the customers a data directory of their own.");
        }

        database.Prepared(FeedSql.InsertFeed)
            .Bind(1, spec.Name).Bind(2, TopicCatalog.Micros(spec.RetentionAge)).Bind(3, spec.RetentionBytes).Run();
        return new FeedLog(database.LastRowId, spec.Name, 1, new Extent(1, 1, 0, 0));
    }

    private long Number(FeedLog feed, NumberedNames names, string name, string insert)
    {
        if (!names.TryStaged(name, out var number))
        {
            database.Prepared(insert).Bind(1, feed.Id).Bind(2, name).Run();
            number = database.LastRowId;
            names.Stage(name, number);
            _staged.Add(feed);
        }

        return number;
    }

    private void RemoveFirst(FeedLog feed)
    {
        var (number, count, bytes) = FirstBlock(feed.Staged.First, static row =>
            (row.Int64(0), row.Int64(1), row.Int64(2)));
        if (count == 0)
        {
            // Blocks that damage took away cannot be removed; the feed goes on behind them.
            feed.StageTrim(feed.Staged.Next, feed.Staged.Bytes, 0);
            return;
        }

        database.Prepared(FeedSql.DeleteBlock).Bind(1, number).Run();
        var end = BlockNumber.Offset(number) + count;
        feed.StageTrim(end, bytes, FirstBlock(end, static row => row.Int64(3)));

        T? FirstBlock<T>(long from, Func<Statement, T> read) => database.Prepared(FeedSql.FirstBlock)
            .Bind(1, BlockNumber.Of(feed.Id, from)).Bind(2, BlockNumber.Last(feed.Id)).First(read);
    }

    private void RemoveNotes(FeedLog feed)
    {
        var first = feed.Staged.First;
        foreach (var table in feed.Tables.Numbers)
        {
            database.Prepared(FeedSql.DeleteTableBlocks).Bind(1, table).Bind(2, BlockNumber.Of(feed.Id, first)).Run();
        }

        database.Prepared(FeedSql.DeleteDeliveries).Bind(1, feed.Id).Bind(2, first).Run();
        database.Prepared(FeedSql.DeleteAcknowledgements).Bind(1, feed.Id).Bind(2, first).Run();
    }
}
