using System.Reflection;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Push.Tests;

/// <summary>A feed store whose process dies before it can record a delivery.</summary>
public class CrashingFeeds : DispatchProxy
{
    private IFeedStore _inner = null!;

    public static IFeedStore Around(IFeedStore inner)
    {
        var proxy = Create<IFeedStore, CrashingFeeds>();
        ((CrashingFeeds)(object)proxy)._inner = inner;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(IFeedStore.RecordDeliveriesAsync)
            ? ValueTask.FromException(new SyncException(ErrorCode.StorageFailed, "The process is gone."))
            : targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
}
