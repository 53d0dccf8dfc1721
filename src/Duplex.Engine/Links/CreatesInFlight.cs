namespace Duplex.Engine.Links;

/// <summary>
/// Creates that a leg has sent and not yet recorded. The opposite leg, meeting a record that no link holds, waits for
/// them: the record may be the one that is just being created.
/// </summary>
internal sealed class CreatesInFlight
{
    private readonly HashSet<Create> _running = [];
    private int _unknown;

    /// <summary>How many creates ended without a known outcome and wait to be repeated.</summary>
    public int Unknown
    {
        get => Volatile.Read(ref _unknown);
        set => Volatile.Write(ref _unknown, value);
    }

    /// <summary>A create begins; disposing what is returned ends it.</summary>
    public Create Begin()
    {
        var create = new Create(this);
        lock (_running)
        {
            _running.Add(create);
        }

        return create;
    }

    /// <summary>Waits for every create that runs now; false if none did.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        Task[] running;
        lock (_running)
        {
            running = [.. _running.Select(static c => c.WaitedFor().Task)];
        }

        if (running.Length == 0)
        {
            return false;
        }

        await Task.WhenAll(running).WaitAsync(cancellationToken);
        return true;
    }

    /// <summary>One create.</summary>
    internal sealed class Create(CreatesInFlight creates) : IDisposable
    {
        private TaskCompletionSource? _done;

        public TaskCompletionSource WaitedFor() =>
            _done ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            lock (creates._running)
            {
                creates._running.Remove(this);
            }

            _done?.SetResult();
        }
    }
}
