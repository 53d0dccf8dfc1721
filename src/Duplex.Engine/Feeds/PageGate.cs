namespace Duplex.Engine.Feeds;

/// <summary>
/// Lets many loops work page by page, and stops them between pages: for a pause, or for the moment in which something that all of
/// them use is replaced.
/// </summary>
internal sealed class PageGate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _open = Completed();
    private TaskCompletionSource _idle = Completed();
    private int _working;
    private int _holds;

    /// <summary>Waits until pages may be worked on, and begins one; disposing what is returned ends it.</summary>
    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task open;
            lock (_lock)
            {
                if (_holds == 0)
                {
                    if (_working++ == 0)
                    {
                        _idle = Fresh();
                    }

                    return new Ending(Leave);
                }

                open = _open.Task;
            }

            await open.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Keeps new pages from beginning and waits for those under way; disposing what is returned lets them go on.</summary>
    public async ValueTask<IDisposable> HoldAsync(CancellationToken cancellationToken)
    {
        Task idle;
        lock (_lock)
        {
            if (_holds++ == 0)
            {
                _open = Fresh();
            }

            idle = _idle.Task;
        }

        var hold = new Ending(Release);
        try
        {
            await idle.WaitAsync(cancellationToken);
            return hold;
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (--_working == 0)
            {
                _idle.SetResult();
            }
        }
    }

    private void Release()
    {
        lock (_lock)
        {
            if (--_holds == 0)
            {
                _open.SetResult();
            }
        }
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Completed()
    {
        var source = Fresh();
        source.SetResult();
        return source;
    }

    private sealed class Ending(Action end) : IDisposable
    {
        private Action? _end = end;

        public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
    }
}
