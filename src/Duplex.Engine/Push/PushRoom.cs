using Duplex.Engine.Waiting;

namespace Duplex.Engine.Push;

/// <summary>
/// The room for requests that the pushers of a process share, so that memory and connections stay bounded whatever the number of
/// endpoints. Each pusher may always have one request under way, which takes no room: endpoints that hang take nothing away from the
/// others but speed. Called from many tasks at once.
/// </summary>
internal sealed class PushRoom(int count = 1000)
{
    private readonly Lock _lock = new();
    private readonly Queue<Bell> _queue = new();
    private readonly HashSet<Bell> _waiting = [];
    private int _free = count;

    /// <summary>Takes the room of one request; without room false, and the bell rings when there is some.</summary>
    public bool TryTake(Bell bell)
    {
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return true;
            }

            if (_waiting.Add(bell))
            {
                _queue.Enqueue(bell);
            }

            return false;
        }
    }

    /// <summary>Gives the room of one request back.</summary>
    public void Give()
    {
        lock (_lock)
        {
            _free++;
            WakeNext();
        }
    }

    /// <summary>Lets the next one have room that the caller was woken for and has not taken.</summary>
    public void Pass()
    {
        lock (_lock)
        {
            WakeNext();
        }
    }

    /// <summary>Ends the waiting of a bell whose owner ends.</summary>
    public void Leave(Bell bell)
    {
        lock (_lock)
        {
            _waiting.Remove(bell);
            WakeNext();
        }
    }

    private void WakeNext()
    {
        while (_free > 0 && _queue.TryDequeue(out var next))
        {
            if (_waiting.Remove(next))
            {
                next.Ring();
                return;
            }
        }
    }
}
