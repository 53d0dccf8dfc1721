namespace Duplex.Engine.Connections;

/// <summary>
/// Carries items to a system that takes some requests in parallel: an item goes at once while there is room, and what
/// waits meanwhile goes together. First come, first served.
/// </summary>
/// <param name="parallel">Requests at once, at least 1.</param>
/// <param name="batchMax">Items of a request, at least 1.</param>
/// <param name="together">Whether the second item may go with the first.</param>
/// <param name="send">Sends a request and tells its items what came of it. Throws only when it is stopped.</param>
/// <param name="giveUp">Tells an item that it is not sent any more.</param>
internal sealed class Funnel<T>(
    int parallel, int batchMax, Func<T, T, bool> together, Func<List<T>, Task> send, Action<T> giveUp) : IAsyncDisposable
{
    private readonly LinkedList<T> _waiting = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _senders;
    private bool _closed;

    /// <summary>Takes an item.</summary>
    /// <exception cref="OperationCanceledException">The funnel is closed.</exception>
    public void Add(T item)
    {
        bool starts;
        lock (_waiting)
        {
            if (_closed)
            {
                throw new OperationCanceledException("The connection is closed.");
            }

            _waiting.AddLast(item);
            starts = _senders < Math.Max(1, parallel);
            _senders += starts ? 1 : 0;
        }

        if (starts)
        {
            _ = SendWaitingAsync();
        }
    }

    /// <summary>Takes items back that were handed out and not sent; they come first.</summary>
    public void PutBack(List<T> items)
    {
        lock (_waiting)
        {
            for (var i = items.Count - 1; i >= 0; i--)
            {
                _waiting.AddFirst(items[i]);
            }
        }
    }

    /// <summary>Gives up what waits, and waits for what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        T[] left;
        bool sends;
        lock (_waiting)
        {
            _closed = true;
            sends = _senders > 0;
            left = [.. _waiting];
            _waiting.Clear();
        }

        Array.ForEach(left, giveUp);
        if (sends)
        {
            await _ended.Task;
        }

        foreach (var item in _waiting)
        {
            giveUp(item);
        }
    }

    private async Task SendWaitingAsync()
    {
        var batch = new List<T>(1);
        while (TakeBatch(batch))
        {
            try
            {
                await send(batch);
            }
            catch (Exception)
            {
                batch.ForEach(giveUp);
            }
        }
    }

    /// <summary>Takes what waits first, and what may go with it; false when the sender is to end.</summary>
    private bool TakeBatch(List<T> batch)
    {
        batch.Clear();
        lock (_waiting)
        {
            while (!_closed && batch.Count < Math.Max(1, batchMax) && _waiting.First is { Value: var next }
                && (batch.Count == 0 || together(batch[0], next)))
            {
                batch.Add(next);
                _waiting.RemoveFirst();
            }

            if (batch.Count > 0)
            {
                return true;
            }

            if (--_senders == 0 && _closed)
            {
                _ended.TrySetResult();
            }

            return false;
        }
    }
}
