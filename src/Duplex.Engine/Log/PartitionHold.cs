namespace Duplex.Engine.Log;

/// <summary>
/// A partition that is a consumer's own, from the moment it is given until it is released or lost. The log calls it back or
/// declares it lost, on any thread; its owner watches both and releases it.
/// </summary>
/// <param name="topic">The topic.</param>
/// <param name="partition">The partition.</param>
public sealed class PartitionHold(string topic, int partition)
{
    private readonly CancellationTokenSource _calledBack = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The topic.</summary>
    public string Topic { get; } = topic;

    /// <summary>The partition.</summary>
    public int Partition { get; } = partition;

    /// <summary>
    /// The partition is wanted by another member, or lost: its owner ends what is under way, records how far it has got unless it
    /// is <see cref="Lost"/>, and releases it. Until then nobody else is given it.
    /// </summary>
    public CancellationToken CalledBack => _calledBack.Token;

    /// <summary>The partition may be another's already: its owner records nothing more, and releases it.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Completes when its owner has let go.</summary>
    public Task Released => _released.Task;

    /// <summary>Lets go; called by its owner, who does nothing with the partition from then on.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Asks its owner to let go. Does not wait for it.</summary>
    public void CallBack() => _ = _calledBack.CancelAsync();

    /// <summary>Tells its owner that it is lost. Does not wait for it.</summary>
    public void Lose()
    {
        // What is lost is called back too, so that an owner needs to wake up to one of them only.
        _ = _lost.CancelAsync();
        CallBack();
    }
}
