namespace Duplex.Storage.Embedded.Commits;

/// <summary>One caller's part of a group commit.</summary>
internal abstract class WriteRequest
{
    /// <summary>Whether a refusal may come after the first write, so that its writes must be undone alone.</summary>
    public virtual bool NeedsSavepoint => false;

    /// <summary>Whether it removes more than it adds, so that it is tried on a full disk too.</summary>
    public virtual bool FreesRoom => false;

    /// <summary>Bytes that it brings, so that a group stays bounded.</summary>
    public virtual int Bytes => 0;

    /// <summary>Why this request alone was refused; null if it was not.</summary>
    public Exception? Refusal { get; set; }

    /// <summary>
    /// Writes, on the writer's thread, within the group's transaction. A <see cref="Duplex.Sdk.SyncException"/> or a
    /// cancellation before the first write refuses this request alone, as does any exception but SQLite's where there
    /// is a savepoint.
    /// </summary>
    public abstract void Apply();

    /// <summary>Tells the caller that its part is on disk.</summary>
    public abstract void Succeed();

    /// <summary>Tells the caller that nothing of its part is stored.</summary>
    public abstract void Fail(Exception error);
}

/// <summary>A request with a result.</summary>
internal abstract class WriteRequest<T> : WriteRequest
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the group is on disk.</summary>
    public Task<T> Completion => _completion.Task;

    /// <summary>What the caller gets once the group is on disk.</summary>
    protected T? Result { get; set; }

    /// <inheritdoc/>
    public override void Succeed() => _completion.TrySetResult(Result!);

    /// <inheritdoc/>
    public override void Fail(Exception error) => _completion.TrySetException(error);
}

/// <summary>A request made of a delegate, for what is rare.</summary>
internal sealed class ActionRequest<T>(Func<T> action, bool freesRoom = false) : WriteRequest<T>
{
    /// <inheritdoc/>
    public override bool FreesRoom => freesRoom;

    /// <inheritdoc/>
    public override void Apply() => Result = action();
}
