namespace Duplex.Kafka.Writing;

/// <summary>Something that the writer's thread does for a waiting caller.</summary>
internal abstract class LogRequest
{
    /// <summary>Bytes that it will add.</summary>
    public virtual int Bytes => 0;

    /// <summary>
    /// Checks, then adds to the transaction. What throws a <see cref="Sdk.SyncException"/> or is cancelled has added
    /// nothing.
    /// </summary>
    public abstract void Apply(Transaction transaction);

    /// <summary>What was added is committed.</summary>
    public abstract void Succeed();

    public abstract void Fail(Exception error);
}

/// <summary>A request with a result.</summary>
internal abstract class LogRequest<T> : LogRequest
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Done => _done.Task;

    protected T Result { get; set; } = default!;

    public override void Succeed() => _done.TrySetResult(Result);

    public override void Fail(Exception error)
    {
        if (error is OperationCanceledException cancelled)
        {
            _done.TrySetCanceled(cancelled.CancellationToken);
        }
        else
        {
            _done.TrySetException(error);
        }
    }
}

/// <summary>A request that is a function.</summary>
internal sealed class ActionRequest<T>(Func<Transaction, T> action) : LogRequest<T>
{
    public override void Apply(Transaction transaction) => Result = action(transaction);
}
