using Duplex.Engine.Config;
using Duplex.Engine.Connections;
using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Reconcile;

/// <summary>
/// Counts what a sync would do on the records as they are: reads both sides by keyset, pairs them as the first sync
/// does, and merges without writing. Memory: the mapped values of unpaired records, a few hundred bytes each.
/// </summary>
internal sealed class Planner(SyncContext sync, IReadOnlyList<Finding> findings, IProgress<Progress>? progress)
{
    private const int SamplesPerKind = 5;

    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<long, (Link Link, byte[] ShadowA)> _linked = [];
    private readonly List<PlanSample> _samples = [];
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private long _read;
    private long _expected;

    /// <summary>The report of a sync that cannot start: nothing but what was found.</summary>
    public static PlanReport NotPossible(string sync, IReadOnlyList<Finding> findings) =>
        new(sync, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, [], findings);

    public async Task<PlanReport> RunAsync(CancellationToken cancellationToken)
    {
        foreach (var side in (Side[])[Side.A, Side.B])
        {
            _expected += Math.Max(0, await sync.Connection(side)
                .Reader.EstimateAsync(sync.Stream(side), cancellationToken));
        }

        await ReadAsync(Side.A, cancellationToken);
        await ReadAsync(Side.B, cancellationToken);
        foreach (var (link, _) in _linked.Values)
        {
            Missing(Side.B, link);
        }

        foreach (var group in _groups.Values)
        {
            Judge(group);
        }

        return Report();
    }

    private async Task ReadAsync(Side side, CancellationToken cancellationToken)
    {
        var connection = sync.Connection(side);
        await foreach (var page in connection.Reader.ListAsync(sync.Stream(side), cancellationToken))
        {
            var links = await sync.Store.FindLinksAsync(
                sync.Name, side, [.. page.Select(static r => r.Key)], cancellationToken);
            for (var i = 0; i < page.Count; i++)
            {
                Take(side, page[i], links[i]);
            }

            _read += page.Count;
            progress?.Report(new Progress(_read, _expected, $"Reading {connection.Model.Name} {sync.Stream(side)}"));
        }
    }

    private void Take(Side side, FetchedRecord record, Link? link)
    {
        var root = record.Record.Root;
        if (sync.Model.Of(side).When is { } when && !when.Holds(root))
        {
            Count($"skipped_{side.Letter()}");
            return;
        }

        Count($"records_{side.Letter()}");
        var values = Values.Read(sync.Rules, side, root, []);
        if (link is { State: LinkState.Live })
        {
            TakeLinked(side, link, values);
        }
        else if (link is null || link.State == LinkState.Deleted)
        {
            TakeNew(side, record.Key, sync.Match.Of(side, root), values);
        }
    }

    private void TakeLinked(Side side, Link link, FieldValue[] values)
    {
        if (side == Side.A)
        {
            Count("linked");
            _linked[link.Id] = (link, Values.ToShadow(sync.Rules, Side.A, values));
            return;
        }

        if (!_linked.Remove(link.Id, out var entry))
        {
            Missing(Side.A, link);
            return;
        }

        var pair = new Pair(sync, link);
        var a = Values.FromShadow(sync.Rules, Side.A, entry.ShadowA);
        if (!pair.HasMet)
        {
            CountWrites(sync.Merger.Meet(a, values), link.A, link.B);
            return;
        }

        var fromA = sync.Merger.Merge(Side.A, new SideState(a, 1), new SideState(values, 0), pair.ShadowA,
            pair.ShadowB, pair.Marks);
        var fromB = sync.Merger.Merge(Side.B, new SideState(values, 0), new SideState(a, 1), pair.ShadowA,
            pair.ShadowB, pair.Marks);
        fromA.WritesA.AddRange(fromB.WritesA.Where(w => fromA.WritesA.All(x => x.Rule != w.Rule)));
        fromA.WritesB.AddRange(fromB.WritesB.Where(w => fromA.WritesB.All(x => x.Rule != w.Rule)));
        CountWrites(fromA, link.A, link.B);
    }

    private void TakeNew(Side side, RecordKey key, string? match, FieldValue[] values)
    {
        if (match is null)
        {
            Create(side, key, Values.ToShadow(sync.Rules, side, values));
            return;
        }

        if (!_groups.TryGetValue(match, out var group))
        {
            _groups[match] = group = new Group();
        }

        group.Of(side).Add((key, Values.ToShadow(sync.Rules, side, values)));
    }

    private void Judge(Group group)
    {
        if (group.A.Count == 1 && group.B.Count == 1)
        {
            Count("link");
            Sample("link", group.A[0].Key, group.B[0].Key, [], null);
            CountWrites(sync.Merger.Meet(
                Values.FromShadow(sync.Rules, Side.A, group.A[0].Values),
                Values.FromShadow(sync.Rules, Side.B, group.B[0].Values)), group.A[0].Key, group.B[0].Key, isNew: true);
        }
        else if (group.A.Count > 0 && group.B.Count > 0)
        {
            Count("ambiguous", group.A.Count + group.B.Count);
            Sample("ambiguous", group.A[0].Key, group.B[0].Key, [.. sync.Model.Match.Select(static m => m.A.Text)],
                $"{group.A.Count} records of A and {group.B.Count} of B share the match values.");
        }
        else
        {
            group.A.ForEach(r => Create(Side.A, r.Key, r.Values));
            group.B.ForEach(r => Create(Side.B, r.Key, r.Values));
        }
    }

    /// <summary>A record without partner: created at the other side, if its direction flows and its values have a form
    /// there.</summary>
    private void Create(Side from, RecordKey key, byte[] shadow)
    {
        if (!sync.Model.Flows(from))
        {
            return;
        }

        var values = Values.FromShadow(sync.Rules, from, shadow);
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i].State == FieldState.Unchanged ? FieldValue.Absent : values[i];
            if (sync.Rules[i].Flows(from) && !sync.Rules[i].TryMap(from, value, out _, out var problem))
            {
                Count("rejected");
                Sample("rejected", from == Side.A ? key : default, from == Side.B
                    ? key : default, [sync.Rules[i].Name], problem);
                return;
            }
        }

        var kind = $"create_{from.Other().Letter()}";
        Count(kind);
        Sample(kind, from == Side.A ? key : default, from == Side.B ? key : default, [], null);
    }

    /// <summary>A linked record is gone on the side: by policy its partner goes too.</summary>
    private void Missing(Side gone, Link link)
    {
        if (sync.Model.Flows(gone) && sync.Model.Of(gone).OnDelete == DeletePolicy.Propagate)
        {
            Count($"delete_{gone.Other().Letter()}");
            Sample($"delete_{gone.Other().Letter()}", link.A, link.B, [], $"It is gone on side {gone.Letter()}.");
        }
    }

    private void CountWrites(MergeResult result, RecordKey a, RecordKey b, bool isNew = false)
    {
        if (result.Problems.Count > 0)
        {
            Count("rejected");
            Sample("rejected", a, b, [result.Problems[0].Rule], result.Problems[0].Problem);
            return;
        }

        foreach (var side in (Side[])[Side.A, Side.B])
        {
            if (result.Writes(side).Count > 0)
            {
                Count($"update_{side.Letter()}");
                Sample($"update_{side.Letter()}", a, b, [.. result.Writes(side).Select(w => sync.Rules[w.Rule].Name)],
                    null);
            }
        }

        if (result.Conflicts.Count > 0)
        {
            Count("conflict");
            Sample("conflict", a, b, [.. result.Conflicts.Select(c => sync.Rules[c.Rule].Name)],
                $"Decided by policy {result.Conflicts[0].Policy}.");
        }

        if (isNew && !result.HasWrites && result.Conflicts.Count == 0)
        {
            Count("link_equal");
        }
    }

    private void Sample(string kind, RecordKey a, RecordKey b, IReadOnlyList<string> fields, string? reason)
    {
        if (_samples.Count(s => s.Kind == kind) < SamplesPerKind)
        {
            _samples.Add(
                new PlanSample(kind, a.IsEmpty ? null : a.ToString(), b.IsEmpty ? null : b.ToString(), fields, reason));
        }
    }

    private void Count(string kind, long by = 1) => _counts[kind] = _counts.GetValueOrDefault(kind) + by;

    private PlanReport Report()
    {
        long Of(string kind) => _counts.GetValueOrDefault(kind);
        return new PlanReport(
            sync.Name, Of("records_a"), Of("records_b"), Of("skipped_a"), Of("skipped_b"), Of("linked"), Of("link"),
                Of("link_equal"),
            Of("update_a"), Of("update_b"), Of("create_a"), Of("create_b"), Of("delete_a"), Of("delete_b"),
                Of("conflict"),
            Of("ambiguous"), Of("rejected"), [.. _samples.OrderBy(static s => s.Kind, StringComparer.Ordinal)],
                findings);
    }

    private sealed class Group
    {
        public List<(RecordKey Key, byte[] Values)> A { get; } = new(1);

        public List<(RecordKey Key, byte[] Values)> B { get; } = new(1);

        public List<(RecordKey Key, byte[] Values)> Of(Side side) => side == Side.A ? A : B;
    }
}
