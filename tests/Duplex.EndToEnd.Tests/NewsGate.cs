using Duplex.Engine.Log;

namespace Duplex.EndToEnd.Tests;

/// <summary>
/// Holds back what is told of the Stripe account, by webhooks and by polls alike: what a test does meanwhile comes before the
/// engine knows of an edit there, however long it takes.
/// </summary>
internal sealed class NewsGate
{
    private TaskCompletionSource? _closed;

    /// <summary>Stands before the log of the engine that the bed starts next. It is open.</summary>
    public static NewsGate Before(Bed bed)
    {
        var gate = new NewsGate();
        bed.Calls = new CallCounts { Hold = gate.Hold };
        return gate;
    }

    public void Close() =>
        Volatile.Write(ref _closed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Open() => Interlocked.Exchange(ref _closed, null)!.SetResult();

    private Task? Hold(string member, object?[] arguments) =>
        member == nameof(IChangeLog.AppendAsync) && arguments[0] is "acme/billing" ? Volatile.Read(ref _closed)?.Task : null;
}
