using Duplex.Engine.Config;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Merge;

/// <summary>One side's values as they are now, with the time of the change that told them.</summary>
/// <param name="Values">By rule; <see cref="FieldState.Unchanged"/> where nothing new is known.</param>
/// <param name="Micros">Source time, microseconds since 1970 UTC; 0 when unknown.</param>
internal sealed record SideState(FieldValue[] Values, long Micros);

/// <summary>
/// Decides field by field what follows from a side's new state: base is the shadow, "theirs" the other side's newer
/// state where it is known. Pure: same input, same decision, whichever leg asks.
/// </summary>
internal sealed class Merger
{
    private readonly SyncModel _sync;
    private readonly ConflictPolicy[] _policies;

    public Merger(SyncModel sync, IReadOnlyList<CompiledRule> rules)
    {
        _sync = sync;
        Rules = rules;
        _policies = [.. rules.Select(r => PolicyOf(sync, r))];
    }

    /// <summary>The rules, by index.</summary>
    public IReadOnlyList<CompiledRule> Rules { get; }

    /// <summary>Whether any known value of the state differs from the shadow.</summary>
    public bool Differs(Side side, FieldValue[] state, FieldValue[] shadow)
    {
        for (var i = 0; i < Rules.Count; i++)
        {
            if (Changed(side, i, state[i], shadow[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Merges a new state of one side into a pair that is in step.
    /// </summary>
    /// <param name="from">The side whose state is new.</param>
    /// <param name="state">Its state.</param>
    /// <param name="other">What is known of the other side beyond its shadow; null for nothing.</param>
    /// <param name="shadowA">A's shadow. Not changed.</param>
    /// <param name="shadowB">B's shadow. Not changed.</param>
    /// <param name="marks">Which rules wait for a person, and what the person decided.</param>
    public MergeResult Merge(
        Side from, SideState state, SideState? other, FieldValue[] shadowA, FieldValue[] shadowB, LinkMarks marks)
    {
        var result = new MergeResult([.. shadowA], [.. shadowB]);
        var to = from.Other();
        for (var i = 0; i < Rules.Count; i++)
        {
            var mine = state.Values[i];
            var theirs = other?.Values[i] ?? FieldValue.Unchanged;
            if (marks.Settled.TryGetValue(Rules[i].Name, out var settlement))
            {
                Settle(result, i, settlement, Known(from, mine, result, i), Known(to, theirs, result, i));
                continue;
            }

            if (!Changed(from, i, mine, result.Shadow(from)[i]))
            {
                continue;
            }

            if (marks.Held.Contains(Rules[i].Name))
            {
                MergeHeld(result, from, i, mine);
            }
            else if (Changed(to, i, theirs, result.Shadow(to)[i]))
            {
                Resolve(result, i, from, mine, theirs, state.Micros, other!.Micros, result.ShadowA[i]);
            }
            else
            {
                Carry(result, from, i, mine, result.Shadow(to)[i]);
            }
        }

        return result;
    }

    /// <summary>Brings two records together that meet for the first time: there is no base, so every difference is
    /// decided anew.</summary>
    public MergeResult Meet(FieldValue[] a, FieldValue[] b)
    {
        var result = new MergeResult([.. a], [.. b]);
        for (var i = 0; i < Rules.Count; i++)
        {
            var aToB = _sync.Flows(Side.A) && Rules[i].Flows(Side.A);
            var bToA = _sync.Flows(Side.B) && Rules[i].Flows(Side.B);
            if ((!aToB && !bToA) || Agree(i, a[i], b[i]))
            {
                continue;
            }

            if (!bToA || (aToB && Values.IsEmpty(b[i])))
            {
                Carry(result, Side.A, i, a[i], b[i]);
            }
            else if (!aToB || Values.IsEmpty(a[i]))
            {
                Carry(result, Side.B, i, b[i], a[i]);
            }
            else
            {
                // Snapshots tell when a record was read, not when it was edited: latest has nothing to go by here, and
                // A stands.
                Resolve(result, i, Side.A, a[i], b[i], 1, 0, FieldValue.Unchanged);
            }
        }

        return result;
    }

    /// <summary>
    /// Decides about edits that a write of ours fell on: the side had them for a moment, and now holds what we wrote.
    /// </summary>
    /// <param name="side">The side that was written.</param>
    /// <param name="edits">Rule and value of each edit.</param>
    /// <param name="editMicros">The latest instant at which the edits can have been made.</param>
    /// <param name="ourMicros">When the change that we wrote happened at the other side.</param>
    /// <param name="shadowA">A's shadow. Not changed.</param>
    /// <param name="shadowB">B's shadow. Not changed.</param>
    public MergeResult Overrun(
        Side side, IReadOnlyList<(int Rule, FieldValue Value)> edits, long editMicros, long ourMicros,
        FieldValue[] shadowA, FieldValue[] shadowB)
    {
        var result = new MergeResult([.. shadowA], [.. shadowB]);
        foreach (var (rule, edit) in edits)
        {
            var written = result.Shadow(side)[rule];
            var theirs = result.Shadow(side.Other())[rule];
            Resolve(result, rule, side, edit, theirs, editMicros, ourMicros, FieldValue.Unchanged);
            if (result.Conflicts is [.., { } last] && last.Rule == rule && last.Winner != side.Other())
            {
                // Where a person is to decide, the edit is put back too, so that both values are still there to choose from.
                result.Writes(side).Add(new FieldWrite(rule, edit, written));
            }
            else
            {
                result.Writes(side).RemoveAll(w => w.Rule == rule);
                result.Shadow(side)[rule] = written;
            }
        }

        return result;
    }

    /// <summary>Whether a known value differs from the shadow's.</summary>
    public bool Changed(Side side, int rule, FieldValue value, FieldValue shadow) =>
        value.State != FieldState.Unchanged
        && (shadow.State == FieldState.Unchanged || !Rules[rule].Same(side, value, shadow));

    /// <summary>Whether the two sides' values of a rule mean the same.</summary>
    public bool Agree(int rule, FieldValue a, FieldValue b)
    {
        var r = Rules[rule];
        return (r.Flows(Side.A) && r.TryMap(Side.A, a, out var asB, out _) && Alike(r, Side.B, asB, b))
            || (r.Flows(Side.B) && r.TryMap(Side.B, b, out var asA, out _) && Alike(r, Side.A, asA, a));
    }

    private static bool Alike(CompiledRule rule, Side side, FieldValue left, FieldValue right) =>
        (Values.IsEmpty(left) && Values.IsEmpty(right)) || rule.Same(side, left, right);

    /// <summary>Takes a value over to the other side, if the rule goes that way and the value is not there
    /// already.</summary>
    private void Carry(MergeResult result, Side from, int rule, FieldValue value, FieldValue believed)
    {
        var r = Rules[rule];
        if (!_sync.Flows(from) || !r.Flows(from))
        {
            // The other way only: this side's own edit is remembered and stands until the other side changes.
            result.Shadow(from)[rule] = value;
            return;
        }

        if (!r.TryMap(from, value, out var wanted, out var problem))
        {
            result.Problems.Add((r.Name, problem ?? "has no form on the other side"));
            return;
        }

        result.Shadow(from)[rule] = value;
        var to = from.Other();
        if (wanted.State == FieldState.Unchanged || r.ShadowName(to).Length == 0)
        {
            return;
        }

        var write = believed.State == FieldState.Unchanged || !Alike(r, to, wanted, believed);
        if (write)
        {
            result.Writes(to).Add(new FieldWrite(rule, wanted, believed));
        }

        result.Shadow(to)[rule] = write ? wanted : believed;
    }

    private void Resolve(
        MergeResult result, int rule, Side from, FieldValue mine, FieldValue theirs, long mineMicros, long theirsMicros,
        FieldValue known)
    {
        var a = from == Side.A ? mine : theirs;
        var b = from == Side.A ? theirs : mine;
        if (Agree(rule, a, b))
        {
            result.ShadowA[rule] = a;
            result.ShadowB[rule] = b;
            return;
        }

        var microsA = from == Side.A ? mineMicros : theirsMicros;
        var microsB = from == Side.A ? theirsMicros : mineMicros;
        var winner = Winner(_policies[rule], microsA, microsB);
        result.Conflicts.Add(
            new FieldConflict(rule, a, b, known, winner, PolicyName(_policies[rule])));
        result.ShadowA[rule] = a;
        result.ShadowB[rule] = b;
        if (winner is { } side)
        {
            Carry(result, side, rule, side == Side.A ? a : b, side == Side.A ? b : a);
        }
    }

    private void MergeHeld(MergeResult result, Side from, int rule, FieldValue mine)
    {
        result.Shadow(from)[rule] = mine;
        var a = result.ShadowA[rule];
        var b = result.ShadowB[rule];
        if (Agree(rule, a, b))
        {
            result.Released.Add(Rules[rule].Name);
        }
        else
        {
            result.Conflicts.Add(
                new FieldConflict(rule, a, b, FieldValue.Unchanged, null, PolicyName(ConflictPolicy.Manual)));
        }
    }

    private static (Side Side, FieldValue Value) Known(Side side, FieldValue value, MergeResult result, int rule) =>
        (side, value.State == FieldState.Unchanged ? result.Shadow(side)[rule] : value);

    /// <summary>Carries out what a person decided: the value that stands goes to the side that lacks it, and what it beats is
    /// kept as a conflict.</summary>
    private void Settle(
        MergeResult result, int rule, Settlement settlement,
        (Side Side, FieldValue Value) mine, (Side Side, FieldValue Value) theirs)
    {
        var (a, b) = mine.Side == Side.A ? (mine.Value, theirs.Value) : (theirs.Value, mine.Value);
        result.ShadowA[rule] = a;
        result.ShadowB[rule] = b;
        if (settlement.Given is null && Agree(rule, a, b))
        {
            result.Released.Add(Rules[rule].Name);
            return;
        }

        var winner = settlement.Winner;
        var (own, others) = winner == Side.A ? (a, b) : (b, a);
        var value = settlement.Given ?? own;
        result.Conflicts.Add(new FieldConflict(rule, a, b, FieldValue.Unchanged, winner,
            settlement.Given is null ? PolicyName(ConflictPolicy.Manual) : "given"));
        if (settlement.Given is not null && !Alike(Rules[rule], winner, value, own))
        {
            result.Writes(winner).Add(new FieldWrite(rule, value, own));
        }

        Carry(result, winner, rule, value, others);
    }

    private Side? Winner(ConflictPolicy policy, long microsA, long microsB) => policy switch
    {
        ConflictPolicy.A => Side.A,
        ConflictPolicy.B => Side.B,
        ConflictPolicy.Manual => null,
        _ => microsB - microsA > _sync.ConflictSkew.TotalMicroseconds ? Side.B : Side.A,
    };

    private static ConflictPolicy PolicyOf(SyncModel sync, CompiledRule rule)
    {
        foreach (var name in (string[])[rule.Name, rule.ShadowName(Side.A), rule.ShadowName(Side.B)])
        {
            if (sync.ConflictByField.TryGetValue(name, out var policy))
            {
                return policy;
            }
        }

        return sync.Conflict;
    }

    private static string PolicyName(ConflictPolicy policy) => policy.ToString().ToLowerInvariant();
}
