namespace Duplex.Engine.Waiting;

/// <summary>Wakes the one loop that waits for it. Rings that nobody has waited for yet count as one.</summary>
internal sealed class Bell
{
    private volatile TaskCompletionSource _rung = Fresh();

    /// <summary>Wakes the loop now, or as soon as it waits.</summary>
    public void Ring() => _rung.TrySetResult();

    /// <summary>Forgets a ring that nobody has waited for.</summary>
    public void Silence()
    {
        if (_rung.Task.IsCompleted)
        {
            _rung = Fresh();
        }
    }

    /// <summary>Waits until it rings or the time is over.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider clock, CancellationToken cancellationToken)
    {
        await _rung.Task.WaitAsync(atMost, clock, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        Silence();
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
