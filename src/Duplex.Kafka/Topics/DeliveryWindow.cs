using Duplex.Sdk;

namespace Duplex.Kafka.Topics;

/// <summary>
/// The delivery ids that a topic holds, as far back as the window reaches. On the writer's thread only.
/// </summary>
internal sealed class DeliveryWindow(int idsMax)
{
    // Names with the digests that they are held under.
    private readonly Dictionary<string, string?> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _staged = new(StringComparer.Ordinal);
    private readonly Queue<(string Id, PartitionLog Partition, long Offset)> _order = new();

    /// <summary>Takes an id into the open transaction. False if the topic or the transaction holds one of its names.</summary>
    public bool Stage(string id)
    {
        if (DeliveryId.IsPlain(id))
        {
            return !_names.ContainsKey(id) && _staged.TryAdd(id, null);
        }

        if (DeliveryId.Names(id).Any(part => _names.ContainsKey(part.Name) || _staged.ContainsKey(part.Name)))
        {
            return false;
        }

        foreach (var (name, digest) in DeliveryId.Names(id))
        {
            _staged[name] = digest;
        }

        return true;
    }

    /// <summary>Whether the topic or the open transaction holds one of the id's names under another digest.</summary>
    public bool IsOther(string id)
    {
        foreach (var (name, digest) in DeliveryId.Names(id))
        {
            // What has no digest was stored by a version that made none: it is a repeat.
            if (digest is not null && (_names.TryGetValue(name, out var held) || _staged.TryGetValue(name, out held))
                && held is not null && held != digest)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The id's entry is committed.</summary>
    public void Commit(string id, PartitionLog partition, long offset)
    {
        var isNew = false;
        foreach (var (name, digest) in DeliveryId.Names(id))
        {
            _staged.Remove(name);
            isNew |= _names.TryAdd(name, digest);
        }

        if (isNew)
        {
            _order.Enqueue((id, partition, offset));
        }

        while (_order.Count > idsMax)
        {
            Forget(_order.Dequeue().Id);
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
                Forget(entry.Id);
            }
            else
            {
                _order.Enqueue(entry);
            }
        }
    }

    private void Forget(string id)
    {
        foreach (var (name, _) in DeliveryId.Names(id))
        {
            _names.Remove(name);
        }
    }
}
