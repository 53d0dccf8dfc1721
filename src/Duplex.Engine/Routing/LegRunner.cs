using System.Runtime.ExceptionServices;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Routing;

/// <summary>One life of a leg: takes ownership, continues where the store says, and runs until it is stopped or
/// something breaks.</summary>
internal sealed class LegRunner(SyncContext sync, Side from, IChangeLog log, LegView view)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConsumerEvery = TimeSpan.FromSeconds(2);

    private readonly int _window = WindowOf(sync.Connection(from.Other()).Capabilities);
    private readonly LegId _id = sync.Leg(from);
    private readonly string _topic = sync.Connection(from).TopicOf(sync.Stream(from));

    /// <summary>
    /// Notes the creates of a leg whose outcome its last end left open. Both legs' must be noted before either looks at a record: it may
    /// be the one that such a create has made.
    /// </summary>
    public static async Task DoubtCreatesAsync(SyncContext sync, Side from, CancellationToken cancellationToken)
    {
        var intents = await sync.Store.ListIntentsAsync(sync.Leg(from), cancellationToken);
        var links = await sync.Store.FindLinksAsync(
            sync.Name, from, [.. intents.Select(static i => i.Key)], cancellationToken);
        for (var i = 0; i < intents.Count; i++)
        {
            if (links[i] is null)
            {
                sync.CreatesFrom(from).Doubt(
                    intents[i].Key, sync.Match.Of(from.Other(), new Record(intents[i].Fields).Root));
            }
        }
    }

    /// <summary>Runs until cancelled (returns) or broken (throws what broke it).</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var epoch = await sync.Store.AcquireAsync(_id.ToString(), cancellationToken);
        await using var committer = new Committer(sync, _id, epoch);
        committer.Start();
        var leg = new LegState(sync, from, committer)
        {
            Counters = view.Counters,
            Brake = view.Brake,
            Indexed = await IndexMarks.ReadAsync(sync, from, cancellationToken) ?? [],
            MayHaveDeadLetters = await sync.Store.CountDeadLettersAsync(_id, cancellationToken) > 0,
        };
        using var stopNow = new CancellationTokenSource();
        using var turns = new TurnRunner(leg, new RecordFlow(sync, leg), _window, stopNow.Token);
        await TakeUpIntentsAsync(leg, cancellationToken);
        var trackers = await TrackAsync(committer, epoch, cancellationToken);
        sync.Legs[(int)from] = leg;
        view.Attach(turns, trackers, leg.Indexed);
        try
        {
            await RunLoopsAsync(leg, turns, trackers, cancellationToken);
        }
        finally
        {
            view.Detach();
            sync.Legs[(int)from] = null;
            await EndTurnsAsync(turns, stopNow);
        }
    }

    private async Task RunLoopsAsync(
        LegState leg, TurnRunner turns, IReadOnlyList<OffsetTracker> trackers, CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var loops = trackers.Select(t => new LegReader(sync, leg, turns, log, t).RunAsync(reading.Token))
            .Append(new PendingLoop(sync, leg, turns).RunAsync(reading.Token))
            .Append(TellConsumersAsync(trackers, reading.Token))
            .ToList();
        var broken = await Task.WhenAny([.. loops, turns.Fault, leg.Committer.Broken]);
        await reading.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var cause in (Task<Exception>[])[turns.Fault, leg.Committer.Broken])
        {
            if (cause.IsCompletedSuccessfully)
            {
                ExceptionDispatchInfo.Throw(await cause);
            }
        }

        if (!cancellationToken.IsCancellationRequested)
        {
            await broken;
        }
    }

    /// <summary>Lets turns under way end, then cuts off what still runs; neither loses anything.</summary>
    private async Task EndTurnsAsync(TurnRunner turns, CancellationTokenSource stopNow)
    {
        using var grace = new CancellationTokenSource(Grace, sync.Clock);
        try
        {
            await turns.DrainAsync(grace.Token);
        }
        catch (OperationCanceledException)
        {
            await stopNow.CancelAsync();
            await turns.DrainAsync(CancellationToken.None);
        }
    }

    private async Task<List<OffsetTracker>> TrackAsync(
        Committer committer, long epoch, CancellationToken cancellationToken)
    {
        var reach = new LogReach(log, sync.Store, sync.Clock);
        var positions = await sync.Store.ReadPositionsAsync(_id, cancellationToken);
        var trackers = new List<OffsetTracker>();
        foreach (var partition in (await log.DescribeAsync(cancellationToken)).Where(p => p.Topic == _topic))
        {
            var stored = positions.FirstOrDefault(p => p.Topic == _topic && p.Partition == partition.Partition);
            if (stored is not null)
            {
                await reach.RequireAsync(stored, partition, epoch, cancellationToken);
            }
            else
            {
                await reach.NoteAsync(
                    new LegPosition(_id, _topic, partition.Partition, partition.FirstOffset), epoch, cancellationToken);
            }

            trackers.Add(committer.Track(_topic, partition.Partition, stored?.Offset ?? partition.FirstOffset,
                await HighMarks.ReadAsync(sync.Store, _id, partition.Partition, cancellationToken)));
        }

        return trackers;
    }

    /// <summary>Writes announced before the last end come first: each is repeated before its record is looked at
    /// otherwise.</summary>
    private async Task TakeUpIntentsAsync(LegState leg, CancellationToken cancellationToken)
    {
        var intents = await sync.Store.ListIntentsAsync(_id, cancellationToken);
        RecordKey[] keys = [.. intents.Select(static i => i.Key)];
        await DoubtCreatesAsync(sync, from, cancellationToken);
        var pending = await sync.Store.FindPendingAsync(_id, keys, cancellationToken);
        var now = sync.NowMicros();
        var due = new List<StateMutation>();
        for (var i = 0; i < intents.Count; i++)
        {
            leg.Intents[keys[i]] = intents[i];
            if (pending[i] is null)
            {
                due.Add(new StateMutation.PutPending(
                    new Pending(_id, keys[i], intents[i].Envelope, intents[i].Offset, now, 0, now, null)));
            }
        }

        if (due.Count > 0)
        {
            await leg.CommitPendingAsync(() => leg.Committer.CommitAsync(due));
        }
    }

    private async Task TellConsumersAsync(IReadOnlyList<OffsetTracker> trackers, CancellationToken cancellationToken)
    {
        while (true)
        {
            foreach (var tracker in trackers)
            {
                await log.AdvanceConsumerAsync(
                    _id.ToString(), tracker.Topic, tracker.Partition, tracker.Position, cancellationToken);
            }

            await Task.Delay(ConsumerEvery, sync.Clock, cancellationToken);
        }
    }

    /// <summary>Enough turns under way to fill the sink's batches several times over, and no more: what waits costs memory
    /// and the collector's time.</summary>
    private static int WindowOf(ConnectorCapabilities sink) =>
        Math.Clamp(16 * Math.Max(1, sink.Parallelism) * Math.Max(1, sink.BatchMax), 256, 1024);
}
