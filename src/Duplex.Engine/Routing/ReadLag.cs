using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>
/// Weighs reads that may show less than what is known: many systems answer a read from a copy that lags behind their writes and
/// their events. What such a read contradicts is neither somebody's edit nor somebody's delete until the lag is over.
/// </summary>
/// <param name="sync">The sync.</param>
/// <param name="side">The side that is read.</param>
internal sealed class ReadLag(SyncContext sync, Side side)
{
    /// <summary>A record that is edited all the time is not looked at for ever: after so many lags a read is believed.</summary>
    private const int LagsMax = 3;

    private ConnectorCapabilities Capabilities => sync.Connection(side).Capabilities;

    private long MaxMicros => (long)Capabilities.ReadLagMax.TotalMicroseconds;

    /// <summary>Whether the turn's change is so young that a read may not know of it yet.</summary>
    public bool MayHide(Turn turn) => MaxMicros > 0 && Waited(turn) < MaxMicros;

    /// <summary>Whether something became known of the side so short ago that a read may not show it.</summary>
    public bool IsFresh(Pair pair) => MaxMicros > 0 && sync.NowMicros() - pair.Version(side) < MaxMicros;

    /// <summary>What is to be taken for the side's state, given the change at hand and what a read showed; null to wait.</summary>
    public FieldValue[]? Weigh(Turn turn, Pair pair, FieldValue[] read, bool ours)
    {
        if (!IsFresh(pair) && !MayHide(turn))
        {
            return read;
        }

        var known = pair.Shadow(side);
        if (!sync.Merger.Differs(side, read, known))
        {
            return !ours && MayMiss(turn, pair) ? null : read;
        }

        var told = turn.Told(sync, side);
        if (Explains(turn.Change, told, known, read))
        {
            return read;
        }

        // A change that has waited was folded with others, which may be younger: nothing need come after it.
        var follows = !turn.MayBeOld && Follows(turn.Change, told, known);
        if (follows || IsYounger(turn.Change, pair))
        {
            if (!sync.Merger.Differs(side, read, told))
            {
                return read;
            }

            if (follows)
            {
                // The read shows what came before or after; what came after tells of itself.
                return told;
            }
        }

        return Waited(turn) < LagsMax * MaxMicros ? null : read;
    }

    /// <summary>Makes the turn wait until the read can be believed.</summary>
    public Task<Step> WaitAsync(Turn turn, Recorder recorder)
    {
        turn.WaitingFor = $"side {side.Letter()} to show what is known of the record already";
        return recorder.WaitAsync(turn);
    }

    private long Waited(Turn turn) => sync.NowMicros() - (turn.Pending?.SinceMicros ?? turn.AppendedMicros);

    /// <summary>Whether a change that a read does not show may be news all the same.</summary>
    private bool MayMiss(Turn turn, Pair pair) =>
        MayHide(turn) && turn.Change.SourceMicros > pair.Version(side) - MaxMicros
        && sync.Merger.Differs(side, turn.Told(sync, side), pair.Shadow(side));

    private bool IsYounger(Change change, Pair pair)
    {
        var tick = Math.Max(1, Capabilities.ClockResolutionMicros);
        return change.Operation != ChangeOperation.Read && change.SourceMicros / tick > pair.Version(side) / tick;
    }

    /// <summary>
    /// Whether the read is what is known with the change made to it: the fields that the change tells to have replaced hold what it
    /// tells, and replaced what is known; all others are as known. So an edit that crosses our own write is told from a read that lags.
    /// </summary>
    private bool Explains(Change change, FieldValue[] told, FieldValue[] known, FieldValue[] read)
    {
        if (change.Before is not { } before)
        {
            return false;
        }

        for (var i = 0; i < told.Length; i++)
        {
            var replaced = sync.Rules[i].Read(side, before.Root, []);
            var isAsKnown = !sync.Merger.Changed(side, i, read[i], known[i]);
            if (replaced.State == FieldState.Absent
                ? !isAsKnown
                : sync.Merger.Changed(side, i, replaced, known[i]) || sync.Merger.Changed(side, i, read[i], told[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the change is the very next after what is known: it tells what it replaced, and that is known.</summary>
    private bool Follows(Change change, FieldValue[] told, FieldValue[] known)
    {
        if (change.Before is not { } before)
        {
            return false;
        }

        for (var i = 0; i < told.Length; i++)
        {
            var replaced = sync.Rules[i].Read(side, before.Root, []);
            if (sync.Merger.Changed(side, i, replaced.State == FieldState.Absent ? told[i] : replaced, known[i]))
            {
                return false;
            }
        }

        return true;
    }
}
