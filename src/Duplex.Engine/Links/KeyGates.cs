using System.Runtime.InteropServices;
using Duplex.Sdk;

namespace Duplex.Engine.Links;

/// <summary>
/// Lines of waiting work per record key, so that changes of one record never overtake each other while different
/// records run in parallel. Work on several keys (a key change) stands in every line at once and goes when it is first
/// in all of them.
/// </summary>
internal sealed class KeyGates
{
    /// <summary>By key whose turn is under way: who waits behind it; null for nobody yet.</summary>
    private readonly Dictionary<RecordKey, Queue<Ticket>?> _lines = [];
    private readonly Lock _lock = new();

    /// <summary>Takes a place in the line of the key (and of the second one unless it is empty). Places are taken in
    /// call order.</summary>
    public Ticket Enter(RecordKey key, RecordKey second = default)
    {
        var ticket = new Ticket(this, key, second == key ? default : second);
        lock (_lock)
        {
            Join(ticket, key);
            if (!ticket.Second.IsEmpty)
            {
                Join(ticket, second);
            }
        }

        return ticket;
    }

    private void Join(Ticket ticket, RecordKey key)
    {
        ref var line = ref CollectionsMarshal.GetValueRefOrAddDefault(_lines, key, out var taken);
        if (taken)
        {
            ticket.WaitForOneMore();
            (line ??= new Queue<Ticket>()).Enqueue(ticket);
        }
    }

    private void Leave(Ticket ticket)
    {
        lock (_lock)
        {
            LeaveLine(ticket.First);
            if (!ticket.Second.IsEmpty)
            {
                LeaveLine(ticket.Second);
            }
        }
    }

    private void LeaveLine(RecordKey key)
    {
        if (_lines[key] is { Count: > 0 } line)
        {
            line.Dequeue().OneLess();
        }
        else
        {
            _lines.Remove(key);
        }
    }

    /// <summary>A place in line.</summary>
    public sealed class Ticket(KeyGates gates, RecordKey first, RecordKey second) : IDisposable
    {
        private TaskCompletionSource? _go;
        private int _ahead;

        /// <summary>The key.</summary>
        public RecordKey First { get; } = first;

        /// <summary>The second key; empty if there is none.</summary>
        public RecordKey Second { get; } = second;

        /// <summary>Completes when it is the ticket's turn.</summary>
        public Task Turn => _go?.Task ?? Task.CompletedTask;

        /// <summary>Leaves the lines. Only after the turn has come.</summary>
        public void Dispose() => gates.Leave(this);

        internal void WaitForOneMore()
        {
            _go ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _ahead++;
        }

        internal void OneLess()
        {
            if (--_ahead == 0)
            {
                _go!.SetResult();
            }
        }
    }
}
