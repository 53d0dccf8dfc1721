namespace Duplex.Engine.Links;

/// <summary>
/// Creates that a leg has sent and not yet recorded. The opposite leg, meeting a record that no link holds, waits for
/// them: the record may be the one that is just being created.
/// </summary>
internal sealed class CreatesInFlight
{
    private readonly HashSet<Task> _running = [];
    private readonly Lock _lock = new();
    private int _unknown;

    /// <summary>How many creates ended without a known outcome and wait to be repeated.</summary>
    public int Unknown
    {
        get => Volatile.Read(ref _unknown);
        set => Volatile.Write(ref _unknown, value);
    }

    /// <summary>Runs a create.</summary>
    public async Task RunAsync(Func<Task> create)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _running.Add(done.Task);
        }

        try
        {
            await create();
        }
        finally
        {
            lock (_lock)
            {
                _running.Remove(done.Task);
            }

            done.SetResult();
        }
    }

    /// <summary>Waits for every create that runs now; false if none did.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        Task[] running;
        lock (_lock)
        {
            running = [.. _running];
        }

        if (running.Length == 0)
        {
            return false;
        }

        await Task.WhenAll(running).WaitAsync(cancellationToken);
        return true;
    }
}
