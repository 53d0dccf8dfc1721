using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Log;

/// <summary>What a reader asks for.</summary>
internal readonly record struct PageRequest(PartitionLog Partition, long Offset, int EntriesMax, int BytesMax);

/// <summary>Fills pages from blocks; each block's check value and place are verified before an entry of it is handed
/// out.</summary>
internal static class PageReader
{
    private const int PageBytesAtFirst = 64 * 1024;

    internal static LogPage Read(Database database, PageRequest request)
    {
        var partition = request.Partition;
        var page = new LogPage(Math.Clamp(request.BytesMax, 1024, PageBytesAtFirst));
        var rows = database.Prepared(LogSql.ReadBlocks)
            .Bind(1, BlockNumber.Of(partition.Id, 0))
            .Bind(2, BlockNumber.Of(partition.Id, request.Offset))
            .Bind(3, BlockNumber.Last(partition.Id));
        try
        {
            var next = request.Offset;
            while (!IsFilled(page, request) && rows.Step())
            {
                next = Add(page, rows, request, next);
            }

            return page.Count > 0 ? page : throw Missing(partition, request.Offset);
        }
        catch (SyncException) when (page.Count > 0)
        {
            // What lies before the damage is sound and is handed out; the reader meets the damage on its next read.
            return page;
        }
        catch
        {
            page.Dispose();
            throw;
        }
        finally
        {
            rows.Reset();
        }
    }

    private static long Add(LogPage page, Statement row, PageRequest request, long next)
    {
        var number = row.Int64(0);
        var count = row.Int32(1);
        var micros = row.Int64(2);
        var data = row.Blob(4);
        var offset = BlockNumber.Offset(number);
        if (offset > next || offset + count <= next)
        {
            throw Missing(request.Partition, next);
        }

        if (BlockFormat.Check(number, count, micros, data) != (uint)row.Int64(3))
        {
            throw Damaged(request.Partition, offset, "the check value does not match");
        }

        var reader = new BlockReader(data);
        while (reader.Next())
        {
            if (offset >= next)
            {
                if (page.Count > 0 && (page.Count >= request.EntriesMax
                    || page.Bytes + reader.Key.Length + reader.Value.Length > request.BytesMax))
                {
                    return offset;
                }

                page.Add(offset, micros, reader.Key, reader.Value);
            }

            offset++;
        }

        return offset;
    }

    private static bool IsFilled(LogPage page, PageRequest request) =>
        page.Count > 0 && (page.Count >= request.EntriesMax || page.Bytes >= request.BytesMax);

    private static SyncException Missing(PartitionLog partition, long offset) =>
        Damaged(partition, offset, "its block is missing");

    private static SyncException Damaged(PartitionLog partition, long offset, string why) =>
        BlockFormat.Damaged($"partition {partition.Number} of topic {partition.Topic.Name} at offset {offset}", why);
}
