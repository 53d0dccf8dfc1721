using System.Collections.Concurrent;

namespace Duplex.Connectors.Stripe.Tests;

/// <summary>A budget without limits that remembers what was asked of it.</summary>
internal sealed class RecordedBudget : IRateBudget
{
    public ConcurrentQueue<(string Scope, double PerSecond)> Acquired { get; } = [];

    public ConcurrentQueue<(string Scope, TimeSpan Duration)> HeldBack { get; } = [];

    public ValueTask AcquireAsync(string scope, double perSecond, int burst, CancellationToken cancellationToken)
    {
        Acquired.Enqueue((scope, perSecond));
        return ValueTask.CompletedTask;
    }

    public void HoldBack(string scope, TimeSpan duration) => HeldBack.Enqueue((scope, duration));
}
