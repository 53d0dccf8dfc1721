namespace Duplex.Kafka.Topics;

/// <summary>One partition in memory. Its extent changes on the writer's thread and is read on any.</summary>
internal sealed class PartitionLog(Topic topic, int number, Extent extent)
{
    private readonly Lock _lock = new();
    private Extent _extent = extent;
    private TaskCompletionSource? _growth;

    public Topic Topic { get; } = topic;

    public int Number { get; } = number;

    public Extent Extent => Volatile.Read(ref _extent);

    /// <summary>Completes when the partition grows; null if it holds an entry at or after the offset
    /// already.</summary>
    public Task? Growth(long offset)
    {
        lock (_lock)
        {
            if (offset < _extent.Next)
            {
                return null;
            }

            _growth ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _growth.Task;
        }
    }

    public void Publish(Extent extent)
    {
        TaskCompletionSource? growth;
        lock (_lock)
        {
            Volatile.Write(ref _extent, extent);
            growth = _growth;
            _growth = null;
        }

        growth?.SetResult();
    }
}
