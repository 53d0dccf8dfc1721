using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Log;

/// <summary>Removes the oldest block of a partition once every consumer has passed it. Used on the writer's
/// thread.</summary>
internal sealed class BlockRemover(Database database, DeliveryRows deliveries)
{
    /// <summary>How many entries went; 0 if the oldest block is still wanted or there is none on disk.</summary>
    public long RemoveFirst(PartitionLog partition)
    {
        if (Find(partition, partition.Staged.First) is not { } block
            || block.End > partition.Topic.ConsumedTo(partition.Number))
        {
            return 0;
        }

        if (block.Deliveries > 0)
        {
            RemoveDeliveries(partition.Topic, block.Number);
        }

        database.Prepared(LogSql.DeleteBlock).Bind(1, block.Number).Run();
        var following = Find(partition, block.End);
        partition.StageTrim(block.End, block.Bytes, following?.AtMicros ?? 0);
        return block.Count;
    }

    private Block? Find(PartitionLog partition, long from) =>
        database.Prepared(LogSql.FirstBlock)
            .Bind(1, BlockNumber.Of(partition.Id, from)).Bind(2, BlockNumber.Last(partition.Id))
            .First(static row =>
                (Block?)new Block(row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4)));

    private void RemoveDeliveries(Topic topic, long number)
    {
        List<string>? ids = null;
        try
        {
            ids = database.Prepared(LogSql.BlockData).Bind(1, number)
                .First(static row => BlockFormat.DeliveryIds(row.Blob(0)));
        }
        catch (SyncException)
        {
            // A damaged block goes like any other; the ids that cannot be read stay and do no harm.
        }

        foreach (var id in ids ?? [])
        {
            deliveries.Remove(topic, id);
        }
    }

    private readonly record struct Block(long Number, long Count, long Bytes, long AtMicros, long Deliveries)
    {
        public long End => BlockNumber.Offset(Number) + Count;
    }
}
