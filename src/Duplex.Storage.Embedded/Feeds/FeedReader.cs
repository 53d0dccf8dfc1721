using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Log;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Feeds;

/// <summary>What a reader asks for. The extent is what was on disk when it asked.</summary>
internal readonly record struct FeedRequest(FeedLog Feed, Extent Extent, long After, int Limit, string? Table);

/// <summary>Reads records out of blocks and joins what became of them.</summary>
internal sealed class FeedReader
{
    /// <summary>A page is no larger than this, whatever its limit, so that many readers fit into memory.</summary>
    private const long PageBytesMax = 8 << 20;

    private readonly Database _database;
    private readonly FeedRequest _request;
    private readonly DeliveryCursor _deliveries;
    private readonly List<FeedRecord> _records = [];
    private readonly long _table;
    private long _bytes;

    private FeedReader(Database database, FeedRequest request, long table)
    {
        _database = database;
        _request = request;
        _table = table;
        _deliveries = new DeliveryCursor(database, request.Feed.Id);
    }

    private bool IsFilled => _records.Count >= _request.Limit || _bytes >= PageBytesMax;

    internal static List<FeedRecord> Read(Database database, FeedRequest request)
    {
        var table = -1L;
        return request.Table is not null && !request.Feed.Tables.TryNumber(request.Table, out table)
            ? []
            : new FeedReader(database, request, table).Read();
    }

    private List<FeedRecord> Read()
    {
        var feed = _request.Feed.Id;
        var rows = _database.Prepared(_table < 0 ? FeedSql.ReadBlocks : FeedSql.ReadBlocksOfTable)
            .Bind(1, BlockNumber.Of(feed, 0)).Bind(2, BlockNumber.Of(feed, _request.After + 1))
            .Bind(3, BlockNumber.Of(feed, _request.Extent.Next - 1));
        if (_table >= 0)
        {
            rows.Bind(4, _table);
        }

        try
        {
            var next = _request.After + 1;
            while (!IsFilled && rows.Step())
            {
                next = Add(rows, next);
            }

            if (_table < 0 && _records.Count == 0)
            {
                throw FeedBlock.Damaged(_request.Feed.Name, next, "its block is missing");
            }
        }
        catch (SyncException) when (_records.Count > 0)
        {
            // What lies before the damage is sound and is handed out; the reader meets the damage on its next read.
        }
        finally
        {
            rows.Reset();
        }

        return _records;
    }

    private long Add(Statement row, long next)
    {
        var number = row.Int64(0);
        var count = row.Int32(1);
        var micros = row.Int64(2);
        var data = row.Blob(4);
        var offset = BlockNumber.Offset(number);
        if (_table < 0 && (offset > next || offset + count <= next))
        {
            throw FeedBlock.Damaged(_request.Feed.Name, next, "its block is missing");
        }

        if (BlockFormat.Check(number, count, micros, data) != (uint)row.Int64(3))
        {
            throw FeedBlock.Damaged(_request.Feed.Name, offset, "the check value does not match");
        }

        var reader = FeedBlock.Read(data);
        for (; reader.Next(); offset++)
        {
            if (offset < next || (_table >= 0 && reader.Table != _table))
            {
                continue;
            }

            var bytes = reader.Key.Length + reader.Data.Length;
            if (_records.Count > 0 && (IsFilled || _bytes + bytes > PageBytesMax))
            {
                _bytes = PageBytesMax;
                break;
            }

            _bytes += bytes;
            _records.Add(Build(reader, offset, micros));
        }

        return offset;
    }

    private FeedRecord Build(in FeedBlockReader reader, long offset, long micros)
    {
        var outcome = _deliveries.Find(offset, micros);
        return new FeedRecord
        {
            Offset = offset,
            Table = Name(_request.Feed.Tables, reader.Table, offset),
            Key = reader.Key.ToArray(),
            Operation = reader.Operation,
            EventId = reader.EventId,
            Version = reader.Version,
            SourceMicros = reader.SourceMicros,
            Source = Name(_request.Feed.Sources, reader.Source, offset),
            SourceOffset = reader.SourceOffset,
            Data = reader.Data.ToArray(),
            CreatedMicros = micros,
            UpdatedMicros = outcome.UpdatedMicros,
            Status = outcome.Status,
            Attempts = outcome.Attempts,
            Error = outcome.Error,
        };
    }

    private string Name(NumberedNames names, long number, long offset) => names.TryName(number, out var name)
        ? name
        : throw FeedBlock.Damaged(_request.Feed.Name, offset, $"nothing has the number {number}");
}
