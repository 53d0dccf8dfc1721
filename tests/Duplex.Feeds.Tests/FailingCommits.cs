using System.Reflection;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>Decides which commits of a state store fail.</summary>
public sealed class FailingCommits
{
    private volatile Func<StateCommit, bool> _fails = static _ => false;
    private int _failed;

    /// <summary>How many have failed.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>Lets the commits fail that the condition names.</summary>
    public void Fail(Func<StateCommit, bool> fails) => _fails = fails;

    internal IStateStore Around(IStateStore inner)
    {
        var store = DispatchProxy.Create<IStateStore, Proxy>();
        ((Proxy)(object)store).Use(inner, this);
        return store;
    }

    private bool Fails(StateCommit commit)
    {
        if (!_fails(commit))
        {
            return false;
        }

        Interlocked.Increment(ref _failed);
        return true;
    }

    /// <summary>The store, as the engine sees it.</summary>
    public class Proxy : DispatchProxy
    {
        private IStateStore _inner = null!;
        private FailingCommits _commits = null!;

        internal void Use(IStateStore inner, FailingCommits commits) => (_inner, _commits) = (inner, commits);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IStateStore.CommitAsync) && _commits.Fails((StateCommit)args![0]!)
                ? ValueTask.FromException(new SyncException(ErrorCode.StorageFull, "No room."))
                : targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
