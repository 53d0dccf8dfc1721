using System.Text;
using Duplex.Engine.Feeds;

namespace Duplex.Engine.Push;

/// <summary>A record that is read and not dealt with.</summary>
internal sealed class PushEntry(FeedRecord record, bool resent)
{
    public long Offset { get; } = record.Offset;

    public string Key { get; } = $"{record.Table}\0{Encoding.UTF8.GetString(record.Key.Span)}";

    /// <summary>Sent again by hand: it holds the position back no more.</summary>
    public bool Resent { get; } = resent;

    /// <summary>Its attempts so far.</summary>
    public int Attempts { get; set; } = record.Attempts;

    /// <summary>Attempts before its schedule began anew.</summary>
    public int AttemptsBefore { get; set; }

    /// <summary>When it may be sent; null while it is under way.</summary>
    public long? DueMicros { get; set; }

    /// <summary>Whether its request takes room of those that all pushers share.</summary>
    public bool TakesRoom { get; set; }

    /// <summary>What is sent, kept only while it is about to be: it is read again otherwise.</summary>
    public FeedRecord? Record { get; set; } = record;
}

/// <summary>
/// The records between the position and what was read of the feed. Of each key the oldest goes first and the others wait
/// for it. Used by one loop.
/// </summary>
internal sealed class PushWindow
{
    private readonly SortedSet<long> _open = [];
    private readonly Dictionary<long, PushEntry> _entries = [];
    private readonly Dictionary<string, LinkedList<PushEntry>> _lanes = new(StringComparer.Ordinal);
    private readonly PriorityQueue<PushEntry, (long Due, long Offset)> _due = new();

    public PushWindow(long position) => ReadTo = position;

    /// <summary>The last offset that was read.</summary>
    public long ReadTo { get; set; }

    /// <summary>Everything up to here is dealt with.</summary>
    public long Position => _open.Count == 0 ? ReadTo : _open.Min - 1;

    public int Count => _entries.Count;

    /// <summary>Records that could be sent but for their time.</summary>
    public int Heads => _lanes.Count;

    public bool IsOpen(long offset) => _entries.ContainsKey(offset);

    /// <summary>How many are due and in memory.</summary>
    public int Ready { get; private set; }

    /// <summary>When the next record is due; null if none waits for its time.</summary>
    public long? NextDue => TryPeek(out _, out var due) ? due : null;

    public void Add(PushEntry entry, long dueMicros)
    {
        if (!_entries.TryAdd(entry.Offset, entry))
        {
            return;
        }

        if (!entry.Resent)
        {
            _open.Add(entry.Offset);
        }

        entry.DueMicros = dueMicros;
        if (!_lanes.TryGetValue(entry.Key, out var lane))
        {
            _lanes[entry.Key] = lane = [];
        }

        lane.AddLast(entry);
        if (lane.Count == 1)
        {
            Schedule(entry);
        }
        else
        {
            entry.Record = null;
        }
    }

    /// <summary>Takes the record that is due first, if one is due.</summary>
    public PushEntry? TakeDue(long nowMicros)
    {
        if (!TryPeek(out var entry, out var due) || due > nowMicros)
        {
            return null;
        }

        _due.Dequeue();
        entry!.DueMicros = null;
        Ready -= entry.Record is null ? 0 : 1;
        return entry;
    }

    /// <summary>Lets a record that was taken wait.</summary>
    public void Wait(PushEntry entry, long dueMicros)
    {
        entry.Record = null;
        entry.DueMicros = dueMicros;
        Schedule(entry);
    }

    /// <summary>Makes a record that waits for its time due; false if it is under way or waits for another.</summary>
    public bool Hurry(long offset, long nowMicros)
    {
        if (!_entries.TryGetValue(offset, out var entry) || entry.DueMicros is null
            || _lanes[entry.Key].First!.Value != entry)
        {
            return false;
        }

        entry.DueMicros = nowMicros;
        _due.Enqueue(entry, (nowMicros, entry.Offset));
        return true;
    }

    /// <summary>Begins every record's schedule anew, and makes due what waits for its time.</summary>
    public void BeginAnew(long nowMicros)
    {
        foreach (var entry in _entries.Values)
        {
            entry.AttemptsBefore = entry.Attempts;
            Hurry(entry.Offset, nowMicros);
        }
    }

    /// <summary>Forgets a record that was taken and is dealt with; the next of its key may go.</summary>
    public void Remove(PushEntry entry)
    {
        _entries.Remove(entry.Offset);
        _open.Remove(entry.Offset);
        var lane = _lanes[entry.Key];
        lane.Remove(entry);
        if (lane.First is { } next)
        {
            Schedule(next.Value);
        }
        else
        {
            _lanes.Remove(entry.Key);
        }
    }

    private void Schedule(PushEntry entry)
    {
        Ready += entry.Record is null ? 0 : 1;
        _due.Enqueue(entry, (entry.DueMicros!.Value, entry.Offset));
    }

    /// <summary>A record that was made due earlier stands in the queue twice; the later place counts for nothing.</summary>
    private bool TryPeek(out PushEntry? entry, out long due)
    {
        while (_due.TryPeek(out entry, out var at))
        {
            due = at.Due;
            if (entry.DueMicros == due && _entries.GetValueOrDefault(entry.Offset) == entry)
            {
                return true;
            }

            _due.Dequeue();
        }

        due = 0;
        return false;
    }
}
