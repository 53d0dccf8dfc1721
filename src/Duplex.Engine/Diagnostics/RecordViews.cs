using Duplex.Engine.Merge;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Diagnostics;

/// <summary>Reads both sides of one record as they are now, with everything that is kept about it.</summary>
internal sealed class RecordViews(EngineParts parts)
{
    private const int TimelineMax = 1000;

    public async ValueTask<RecordView> ReadAsync(SyncContext sync, Side side, RecordKey key,
        CancellationToken cancellationToken)
    {
        var link = (await parts.Store.FindLinksAsync(sync.Name, side, [key], cancellationToken))[0];
        var keys = new[]
        {
            link?.A ?? (side == Side.A ? key : default), link?.B ?? (side == Side.B ? key : default),
        };
        var (a, errorA) = await FetchAsync(sync, Side.A, keys[0], cancellationToken);
        var (b, errorB) = await FetchAsync(sync, Side.B, keys[1], cancellationToken);
        Pending? pending = null;
        DeadLetter? letter = null;
        foreach (var from in (Side[])[Side.A, Side.B])
        {
            if (!keys[(int)from].IsEmpty)
            {
                pending ??= (await parts.Store.FindPendingAsync(sync.Leg(from), [keys[(int)from]],
                    cancellationToken))[0];
                letter ??= (await parts.Store.FindDeadLettersAsync(sync.Leg(from), [keys[(int)from]],
                    cancellationToken))[0];
            }
        }

        return new RecordView(sync.Name, link, a, b, errorA, errorB, Compare(sync, a, b), pending, letter,
            await parts.Store.ReadTimelineAsync(sync.Name, side, key, TimelineMax, cancellationToken));
    }

    private static async ValueTask<(FetchedRecord? Record, SyncError? Error)> FetchAsync(
        SyncContext sync, Side side, RecordKey key, CancellationToken cancellationToken)
    {
        if (key.IsEmpty)
        {
            return (null, null);
        }

        try
        {
            return (await sync.Connection(side).FetchAsync(sync.Stream(side), key, cancellationToken), null);
        }
        catch (SyncException e)
        {
            return (null, e.Error);
        }
    }

    private static List<FieldComparison> Compare(SyncContext sync, FetchedRecord? a, FetchedRecord? b)
    {
        var compared = new List<FieldComparison>();
        if (a is null && b is null)
        {
            return compared;
        }

        var valuesA = a is null ? null : Values.Read(sync.Rules, Side.A, a.Record.Root, []);
        var valuesB = b is null ? null : Values.Read(sync.Rules, Side.B, b.Record.Root, []);
        for (var i = 0; i < sync.Rules.Count; i++)
        {
            compared.Add(new FieldComparison(
                sync.Rules[i].Name,
                valuesA is null ? null : NullIfEmpty(Values.Text(valuesA[i])),
                valuesB is null ? null : NullIfEmpty(Values.Text(valuesB[i])),
                valuesA is not null && valuesB is not null && sync.Merger.Agree(i, valuesA[i], valuesB[i])));
        }

        return compared;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
