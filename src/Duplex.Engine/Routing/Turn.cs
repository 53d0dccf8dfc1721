using Duplex.Engine.Diagnostics;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>One change of one record while a leg deals with it: what came in, what is known, and what is to be
/// recorded.</summary>
internal sealed class Turn
{
    private readonly List<StateMutation> _applied = [];
    private (Change? Of, FieldValue[] Values) _told = (null, []);

    public required Change Change { get; set; }

    public required ReadOnlyMemory<byte> Envelope { get; set; }

    public required long Offset { get; set; }

    /// <summary>The log entry to check off; null for a turn that comes from the pending records.</summary>
    public OffsetTracker? Tracker { get; init; }

    /// <summary>The partition it was read from; -1 for a pending record.</summary>
    public int Partition { get; init; } = -1;

    /// <summary>When the log took it, microseconds since 1970 UTC; 0 for a pending record.</summary>
    public long AppendedMicros { get; init; }

    /// <summary>
    /// Whether younger changes of the record may have been recorded already: it is read again after a crash, or it has
    /// waited. The record itself then tells what is true.
    /// </summary>
    public bool MayBeOld { get; init; }

    /// <summary>Made by the engine out of a truncate: neither a log entry nor a pending record of its own.</summary>
    public bool Synthetic { get; init; }

    /// <summary>The stamp taken before what is known was read.</summary>
    public long Since { get; set; }

    public Link? Link { get; set; }

    public Pending? Pending { get; set; }

    public DeadLetter? DeadLetter { get; set; }

    /// <summary>What is recorded when the turn ends well.</summary>
    public List<StateMutation> Mutations { get; } = [];

    /// <summary>Failed attempts so far.</summary>
    public int Attempts => Pending?.Attempts ?? 0;

    /// <summary>Set when the record must wait for something that comes by itself; no failure.</summary>
    public string? WaitingFor { get; set; }

    /// <summary>Writes of the turn that were applied.</summary>
    public int Writes { get; private set; }

    /// <summary>
    /// How the opposite leg finds the record by its match fields while it waits or is parked without a partner; null if it cannot.
    /// </summary>
    public Candidate? Candidate { get; set; }

    /// <summary>A write with unknown outcome, to be repeated as it is.</summary>
    public Intent? Unsettled { get; set; }

    /// <summary>A person has looked at the held change and let it pass.</summary>
    public bool Approved { get; set; }

    /// <summary>The values that the change tells, read once; not to be changed.</summary>
    public FieldValue[] Told(SyncContext sync, Side side)
    {
        if (_told.Of != Change)
        {
            _told = (Change, Values.Of(sync.Rules, side, Change));
        }

        return _told.Values;
    }

    /// <summary>Adds a line to the record's timeline.</summary>
    public void Note(SyncContext sync, LegState leg, TimelineKind kind, Side side, TimelineDetail detail) =>
        Mutations.Add(Line(sync, leg, kind, side, detail));

    /// <summary>Adds the line of a write that was applied: it is recorded however the turn goes on.</summary>
    public void NoteApplied(SyncContext sync, LegState leg, Side side, TimelineDetail detail)
    {
        var line = Line(sync, leg, TimelineKind.Written, side, detail);
        Mutations.Add(line);
        _applied.Add(line);
        Writes++;
    }

    /// <summary>What was to be recorded is.</summary>
    public void Recorded()
    {
        Mutations.Clear();
        _applied.Clear();
    }

    /// <summary>Forgets what was to be recorded, but for the lines of writes that were applied and are not recorded
    /// yet.</summary>
    public void Withdraw()
    {
        Mutations.Clear();
        Mutations.AddRange(_applied);
    }

    private StateMutation.AddTimeline Line(
        SyncContext sync, LegState leg, TimelineKind kind, Side side, TimelineDetail detail)
    {
        var a = Link?.A ?? default;
        var b = Link?.B ?? default;
        if (leg.From == Side.A && a.IsEmpty)
        {
            a = Change.Key;
        }
        else if (leg.From == Side.B && b.IsEmpty)
        {
            b = Change.Key;
        }

        return new StateMutation.AddTimeline(
            new TimelineEvent(sync.Name, a, b, sync.NowMicros(), kind, side, detail.ToUtf8(Change)));
    }
}
