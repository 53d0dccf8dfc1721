using System.Threading.Channels;
using Duplex.Sdk;

namespace Duplex.Engine.Log;

/// <summary>
/// One member's part of the partitions of a consumer. The log gives partitions, calls them back and declares them lost; the member
/// takes what it is given, and releases everything before it disposes the share, which ends its work as a member.
/// </summary>
/// <param name="leave">Ends the membership; null where there is nothing to end.</param>
public sealed class PartitionShare(Func<ValueTask>? leave = null) : IAsyncDisposable
{
    private readonly Channel<IReadOnlyList<PartitionHold>> _given =
        Channel.CreateUnbounded<IReadOnlyList<PartitionHold>>(new UnboundedChannelOptions { SingleReader = true });

    private SyncError? _obstacle;

    /// <summary>
    /// Null while the member is known to whoever shares out the partitions; otherwise why it is not. It has no partitions then,
    /// and is given some again by itself.
    /// </summary>
    public SyncError? Obstacle
    {
        get => Volatile.Read(ref _obstacle);
        set => Volatile.Write(ref _obstacle, value);
    }

    /// <summary>
    /// Waits until partitions are given; those given before stay the member's. Completes without any when the member was taken in
    /// and there are none for it. One caller at a time.
    /// </summary>
    /// <exception cref="SyncException">The membership ended for good: the member joins anew, or gives up.</exception>
    public async ValueTask<IReadOnlyList<PartitionHold>> TakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _given.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException e) when (e.InnerException is SyncException ended)
        {
            throw new SyncException(ended.Error, ended);
        }
    }

    /// <summary>Gives partitions to the member; called by the log.</summary>
    public void Give(IReadOnlyList<PartitionHold> partitions) => _given.Writer.TryWrite(partitions);

    /// <summary>Ends the membership for good; called by the log, which has declared every partition lost.</summary>
    public void End(SyncError why)
    {
        Obstacle = why;
        _given.Writer.TryComplete(new SyncException(why));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => leave?.Invoke() ?? ValueTask.CompletedTask;
}
