using Duplex.Sdk;

namespace Duplex.Engine.Links;

/// <summary>
/// Lines of waiting work per record key, so that changes of one record never overtake each other while different
/// records run in parallel. Work on several keys (a key change) stands in every line at once and goes when it is first
/// in all of them.
/// </summary>
internal sealed class KeyGates
{
    private readonly Dictionary<RecordKey, LinkedList<Ticket>> _lines = [];
    private readonly Lock _lock = new();

    /// <summary>Takes a place in the line of the key (and of the second one unless it is empty). Places are taken in
    /// call order.</summary>
    public Ticket Enter(RecordKey key, RecordKey second = default)
    {
        lock (_lock)
        {
            var both = !second.IsEmpty && second != key;
            var ticket = new Ticket(this, key, both ? second : default);
            Join(ticket, key);
            if (both)
            {
                Join(ticket, second);
            }

            if (ticket.Ahead == 0)
            {
                ticket.Go.SetResult();
            }

            return ticket;
        }
    }

    private void Join(Ticket ticket, RecordKey key)
    {
        if (!_lines.TryGetValue(key, out var line))
        {
            _lines[key] = line = [];
        }

        if (line.Count > 0)
        {
            ticket.Ahead++;
        }

        line.AddLast(ticket);
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
        var line = _lines[key];
        line.RemoveFirst();
        if (line.First is not { } next)
        {
            _lines.Remove(key);
        }
        else if (--next.Value.Ahead == 0)
        {
            next.Value.Go.SetResult();
        }
    }

    /// <summary>A place in line.</summary>
    public sealed class Ticket(KeyGates gates, RecordKey first, RecordKey second) : IDisposable
    {
        /// <summary>The key.</summary>
        public RecordKey First { get; } = first;

        /// <summary>The second key; empty if there is none.</summary>
        public RecordKey Second { get; } = second;

        /// <summary>Completes when it is the ticket's turn.</summary>
        public Task Turn => Go.Task;

        internal TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal int Ahead { get; set; }

        /// <summary>Leaves the lines. Only after the turn has come.</summary>
        public void Dispose() => gates.Leave(this);
    }
}
