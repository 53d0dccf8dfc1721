using System.Reflection;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>Decides which appends to feeds are refused, and holds appends back.</summary>
public sealed class FeedDoor
{
    private volatile Func<string, bool> _refuses = static _ => false;
    private volatile TaskCompletionSource? _closed;
    private int _refused;
    private int _waiting;

    /// <summary>How many appends were refused.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>How many appends wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Refuses the appends to the feeds that the condition names.</summary>
    public void Refuse(Func<string, bool> refuses) => _refuses = refuses;

    /// <summary>Lets appends wait until <see cref="Open"/>.</summary>
    public void Close() => _closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _closed?.SetResult();

    internal IFeedStore Around(IFeedStore inner)
    {
        var store = DispatchProxy.Create<IFeedStore, Proxy>();
        ((Proxy)(object)store).Use(inner, this);
        return store;
    }

    private async ValueTask<FeedAppend> AppendAsync(string feed, Func<ValueTask<FeedAppend>> append)
    {
        if (_refuses(feed))
        {
            Interlocked.Increment(ref _refused);
            throw new SyncException(ErrorCode.SinkUnavailable, "The feed is away.");
        }

        if (_closed is { Task.IsCompleted: false } closed)
        {
            Interlocked.Increment(ref _waiting);
            await closed.Task;
            Interlocked.Decrement(ref _waiting);
        }

        return await append();
    }

    /// <summary>The store, as the engine sees it.</summary>
    public class Proxy : DispatchProxy
    {
        private IFeedStore _inner = null!;
        private FeedDoor _door = null!;

        internal void Use(IFeedStore inner, FeedDoor door) => (_inner, _door) = (inner, door);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            return targetMethod!.Name == nameof(IFeedStore.AppendAsync)
                ? _door.AppendAsync((string)args![0]!, () => (ValueTask<FeedAppend>)Call()!) : Call();

            object? Call() => targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
        }
    }
}
