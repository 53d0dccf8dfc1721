using System.Reflection;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>Decides which commits of a state store fail.</summary>
public sealed class FailingCommits
{
    private volatile Func<StateCommit, bool> _fails = static _ => false;
    private volatile bool _hang;
    private int _failed;

    /// <summary>How many have failed.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>Lets the commits fail that the condition names: at once, or when their caller gives up.</summary>
    public void Fail(Func<StateCommit, bool> fails, bool hang = false) => (_hang, _fails) = (hang, fails);

    internal IStateStore Around(IStateStore inner)
    {
        var store = DispatchProxy.Create<IStateStore, Proxy>();
        ((Proxy)(object)store).Use(inner, this);
        return store;
    }

    /// <summary>What becomes of a commit; null if it does not fail.</summary>
    private ValueTask? Take(StateCommit commit, CancellationToken cancellationToken)
    {
        if (!_fails(commit) || (_hang && !cancellationToken.CanBeCanceled))
        {
            return null;
        }

        Interlocked.Increment(ref _failed);
        return _hang ? new ValueTask(new TaskCompletionSource().Task.WaitAsync(cancellationToken))
            : ValueTask.FromException(new SyncException(ErrorCode.StorageFull, "No room."));
    }

    /// <summary>The store, as the engine sees it.</summary>
    public class Proxy : DispatchProxy
    {
        private IStateStore _inner = null!;
        private FailingCommits _commits = null!;

        internal void Use(IStateStore inner, FailingCommits commits) => (_inner, _commits) = (inner, commits);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IStateStore.CommitAsync)
            && _commits.Take((StateCommit)args![0]!, (CancellationToken)args[1]!) is { } failure
                ? failure
                : targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
