namespace Duplex.Kafka.Topics;

/// <summary>
/// The delivery ids that a topic holds, as far back as the window reaches. On the writer's thread only.
/// </summary>
internal sealed class DeliveryWindow(int idsMax)
{
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<string> _staged = new(StringComparer.Ordinal);
    private readonly Queue<(string Id, PartitionLog Partition, long Offset)> _order = new();

    /// <summary>Takes an id into the open transaction. False if the topic or the transaction holds it.</summary>
    public bool Stage(string id) => !_ids.Contains(id) && _staged.Add(id);

    /// <summary>The id's entry is committed.</summary>
    public void Commit(string id, PartitionLog partition, long offset)
    {
        _staged.Remove(id);
        if (_ids.Add(id))
        {
            _order.Enqueue((id, partition, offset));
        }

        while (_order.Count > idsMax)
        {
            _ids.Remove(_order.Dequeue().Id);
        }
    }

    /// <summary>The open transaction came to nothing.</summary>
    public void Abort() => _staged.Clear();

    /// <summary>Forgets the ids of entries that were removed.</summary>
    public void Prune()
    {
        for (var left = _order.Count; left > 0; left--)
        {
            var entry = _order.Dequeue();
            if (entry.Offset < entry.Partition.Extent.First)
            {
                _ids.Remove(entry.Id);
            }
            else
            {
                _order.Enqueue(entry);
            }
        }
    }
}
