using System.Collections.Concurrent;
using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Push;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// The customers of an engine: each has a leg from the posted tables to its feed. They can be added, changed and removed while the
/// engine runs; one at a time, which its caller makes sure of.
/// </summary>
public sealed class Customers
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly EngineParts _parts;
    private readonly SharedRoom _room = new(new PageRoom(), new PushRoom());
    private readonly ConcurrentDictionary<string, FeedRuntime> _runtimes = new(StringComparer.Ordinal);
    private readonly Func<IReadOnlyList<StateMutation>, CancellationToken, Task> _commit;
    private CancellationToken _engineStop;
    private bool _started;

    /// <summary>Prepares the customers of a model.</summary>
    /// <param name="parts">What the engine runs on.</param>
    /// <param name="commit">Stores named values durably.</param>
    internal Customers(EngineParts parts, Func<IReadOnlyList<StateMutation>, CancellationToken, Task> commit)
    {
        _parts = parts;
        _commit = commit;
        foreach (var model in parts.Model.Customers.Values)
        {
            Use(model);
        }
    }

    /// <summary>The customers by name, as they are now.</summary>
    public IReadOnlyDictionary<string, CustomerModel> Models =>
        _runtimes.ToDictionary(static r => r.Key, static r => r.Value.Customer, StringComparer.Ordinal);

    /// <summary>The customer of a name, as it is now; null if there is none.</summary>
    public CustomerModel? Find(string name) => _runtimes.TryGetValue(name, out var runtime) ? runtime.Customer : null;

    /// <summary>What pushes a customer's feed; null if it is only polled.</summary>
    public FeedPusher? PusherOf(string name) => _runtimes.GetValueOrDefault(name)?.Push?.Pusher;

    /// <summary>Takes other models into use before the start.</summary>
    internal void UseAll(IEnumerable<CustomerModel> models)
    {
        _runtimes.Clear();
        foreach (var model in models)
        {
            Use(model);
        }
    }

    /// <summary>
    /// Places the positions of new customers, takes up pauses, and begins. When it returns, a customer that begins with the latest
    /// change misses nothing that is posted from then on.
    /// </summary>
    internal async Task<IReadOnlyList<Task>> StartAsync(CancellationToken stop, CancellationToken cancellationToken)
    {
        if (!_runtimes.IsEmpty)
        {
            RequireFeeds();
        }

        foreach (var runtime in _runtimes.Values)
        {
            var epoch = await _parts.Store.AcquireAsync(FeedLeg.IdOf(runtime.Customer).ToString(), cancellationToken);
            await PlaceAsync(runtime, epoch, cancellationToken);
            await MakeFeedAsync(runtime.Customer, cancellationToken);
            if (await _parts.Store.ReadValueAsync(PauseMark(runtime.Customer), cancellationToken) is not null)
            {
                await runtime.View.PauseAsync(cancellationToken);
            }
        }

        (_engineStop, _started) = (stop, true);
        foreach (var runtime in _runtimes.Values)
        {
            runtime.Start(stop);
        }

        return [Task.Run(() => RunAsync(stop), CancellationToken.None)];
    }

    /// <summary>
    /// Adds a customer, or changes one: its leg ends, what is decided is stored in one commit with the positions at which it takes
    /// effect, and the leg goes on from there with the new model. When nothing could be stored, it goes on as it was.
    /// </summary>
    /// <param name="next">The customer with the tables that it is to have; other parts of it may still be decided.</param>
    /// <param name="decide">Told where every partition stands, says what is stored and the model from then on.</param>
    /// <param name="cancellationToken">Stops what has not begun.</param>
    internal async Task<CustomerModel> ChangeAsync(
        CustomerModel next, Func<IReadOnlyList<TurningPoint>, CustomerChange> decide, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireFeeds();
        var runtime = _runtimes.GetValueOrDefault(next.Name);
        if (runtime is not null)
        {
            await runtime.StopAsync();
        }

        var model = runtime?.Customer;
        IReadOnlyList<LegPosition> places = [];
        try
        {
            using var patience = new CancellationTokenSource(Patience, _parts.Clock);
            (model, places) = await StoreAsync(model, next, decide, patience.Token);
            return model;
        }
        catch (OperationCanceledException)
        {
            throw new SyncException(ErrorCode.SinkUnavailable,
                $"The stores did not answer within {Patience.TotalSeconds:0} seconds; the customer {next.Name} is as it was.",
                "Try again.");
        }
        finally
        {
            if (model is not null)
            {
                var begun = Use(model, model.Generation == runtime?.Customer.Generation ? runtime.View : null);
                foreach (var place in places)
                {
                    begun.View.Positions[(place.Topic, place.Partition)] = place.Offset;
                }

                if (_started)
                {
                    begun.Start(_engineStop);
                }
            }
        }
    }

    /// <summary>Removes a customer durably: its leg ends and the log no longer keeps anything for it. What its feed has stays
    /// readable until retention removes it.</summary>
    internal async Task RemoveAsync(
        CustomerModel customer, IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken)
    {
        await _commit(
            [.. mutations, new StateMutation.PutValue(PauseMark(customer), null),
                new StateMutation.ForgetVersions(FeedLeg.IdOf(customer))],
            cancellationToken);
        if (_runtimes.TryRemove(customer.Name, out var runtime))
        {
            await runtime.StopAsync();
        }

        await _parts.Log.RemoveConsumerAsync(FeedLeg.IdOf(customer).ToString(), CancellationToken.None);
    }

    /// <summary>Pauses a customer's leg; its feed stays readable. Survives restarts. False if there is no such customer.</summary>
    public async Task<bool> PauseAsync(string customer, CancellationToken cancellationToken)
    {
        if (!_runtimes.TryGetValue(customer, out var runtime))
        {
            return false;
        }

        await _commit([new StateMutation.PutValue(PauseMark(runtime.Customer), "paused")], cancellationToken);
        await runtime.View.PauseAsync(cancellationToken);
        return true;
    }

    /// <summary>Resumes a paused or blocked customer. False if there is no such customer.</summary>
    public async Task<bool> ResumeAsync(string customer, CancellationToken cancellationToken)
    {
        if (!_runtimes.TryGetValue(customer, out var runtime))
        {
            return false;
        }

        await _commit([new StateMutation.PutValue(PauseMark(runtime.Customer), null)], cancellationToken);
        runtime.View.Resume();
        if (runtime.Push is { Pusher.Status.State: PushState.Disabled } push)
        {
            await push.Pusher.EnableAsync(cancellationToken);
        }

        return true;
    }

    /// <summary>
    /// Transforms a parked change anew and appends it. A letter goes when a younger state of its record has come through, so that
    /// a replay never brings an old state back. Null if the leg is not a customer's; otherwise whether it came through.
    /// </summary>
    public async Task<bool?> ReplayAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(letter);
        return _runtimes.Values.FirstOrDefault(r => FeedLeg.IdOf(r.Customer) == letter.Leg) is { } runtime
            ? await runtime.ReplayAsync(letter, cancellationToken)
            : null;
    }

    /// <summary>Waits until the leg of a dead letter can take it up. Null if the leg is not a customer's; otherwise why it cannot, or
    /// no error.</summary>
    internal async Task<(bool IsOurs, SyncError? Error)> WaitForLegAsync(
        LegId leg, TimeSpan within, CancellationToken cancellationToken) =>
        _runtimes.Values.FirstOrDefault(r => FeedLeg.IdOf(r.Customer) == leg) is { } runtime
            ? (true, await runtime.WaitForLegAsync(within, cancellationToken)) : (false, null);

    /// <summary>By topic and partition: the first offset that a customer's leg has not dealt with.</summary>
    internal IReadOnlyDictionary<(string Topic, int Partition), long> PositionsOf(string customer) =>
        _runtimes.TryGetValue(customer, out var runtime)
            ? runtime.View.Positions : new Dictionary<(string, int), long>();

    /// <summary>Wakes a customer's leg to a replay that is stored.</summary>
    internal void AskForReplay(string customer) => _runtimes.GetValueOrDefault(customer)?.View.ReplayAsked.Ring();

    /// <summary>Asks a customer's leg to end a replay.</summary>
    internal void CancelReplay(string customer, string id)
    {
        if (_runtimes.TryGetValue(customer, out var runtime))
        {
            runtime.View.ReplayCancelled = id;
        }
    }

    /// <summary>How the customers stand.</summary>
    public async Task<IReadOnlyList<CustomerStatus>> StatusAsync(
        IReadOnlyList<PartitionState> partitions, CancellationToken cancellationToken)
    {
        if (_runtimes.IsEmpty)
        {
            return [];
        }

        var feeds = await _parts.Feeds!.DescribeAsync(cancellationToken);
        var statuses = new List<CustomerStatus>();
        foreach (var runtime in _runtimes.Values)
        {
            statuses.Add(await StatusAsync(
                runtime, partitions, feeds.FirstOrDefault(f => f.Name == runtime.Customer.Feed.Name), cancellationToken));
        }

        return statuses;
    }

    /// <summary>Places the customer's positions. A log that does not reach them stops its leg alone.</summary>
    private async Task PlaceAsync(FeedRuntime runtime, long epoch, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (_, position) in await new FeedStarts(runtime.Customer, _parts).PlaceAsync(epoch, cancellationToken))
            {
                runtime.View.Positions[(position.Topic, position.Partition)] = position.Offset;
            }
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.StorageUnreadable)
        {
            // The leg finds the same, and shows it.
        }
    }

    /// <summary>Makes the feed before anything reads it. A store that cannot be reached yet is the leg's to wait for.</summary>
    private async Task MakeFeedAsync(CustomerModel customer, CancellationToken cancellationToken)
    {
        try
        {
            await _parts.Feeds!.AcquireAsync(customer.Feed, cancellationToken);
        }
        catch (SyncException e) when (e.Error.Code is ErrorCode.SinkUnavailable or ErrorCode.SinkRateLimited or ErrorCode.StorageFull)
        {
            // The leg shows what is wrong, and tries again.
        }
    }

    private FeedRuntime Use(CustomerModel model, FeedView? view = null) =>
        _runtimes[model.Name] = new FeedRuntime(model, _parts, _room, view ?? new FeedView(model.FullName));

    private async Task RunAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, _parts.Clock, stop)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var runtime in _runtimes.Values)
        {
            await runtime.StopAsync();
        }
    }

    private async Task<(CustomerModel Model, IReadOnlyList<LegPosition> Places)> StoreAsync(
        CustomerModel? before, CustomerModel next, Func<IReadOnlyList<TurningPoint>, CustomerChange> decide,
        CancellationToken cancellationToken)
    {
        var (leg, starts) = (FeedLeg.IdOf(next), new FeedStarts(next, _parts));
        var commit = new StateCommit
        {
            Owner = leg.ToString(),
            Epoch = await _parts.Store.AcquireAsync(leg.ToString(), cancellationToken),
        };
        // An append of the ended leg that is still on its way is refused from here on, or is among what is read next.
        await _parts.Feeds!.AcquireAsync(next.Feed, cancellationToken);
        var given = await _parts.Feeds.ReadSourcesAsync(next.Feed.Name, "", cancellationToken);
        var known = before is null || before.Generation != next.Generation ? [] : TablesOf(before);
        var (places, fresh) = await starts.FindAsync(
            commit.Epoch, TablesOf(next).Except(known).ToHashSet(StringComparer.Ordinal), cancellationToken);
        var change = decide([.. places.Select(p => new TurningPoint(p.Table, p.Position, Math.Max(p.Position.Offset,
            given.TryGetValue(FeedLeg.SourceOf(next, p.Position.Topic, p.Position.Partition), out var last) ? last + 1 : 0)))]);
        commit.Mutations.AddRange(change.Mutations);
        commit.Positions.AddRange(fresh);
        commit.Mutations.AddRange(starts.MarksOf(fresh));
        await _parts.Store.CommitAsync(commit, CancellationToken.None);
        if (known.Except(TablesOf(next)).Any())
        {
            await _parts.Log.RemoveConsumerAsync(leg.ToString(), CancellationToken.None);
            await starts.HoldAsync(places.Select(static p => p.Position), CancellationToken.None);
        }
        else
        {
            await starts.HoldAsync(fresh, CancellationToken.None);
        }

        return (change.Model, [.. places.Select(static p => p.Position)]);
    }

    private static IReadOnlyList<string> TablesOf(CustomerModel customer) => [.. customer.Tables.Keys, .. customer.Waiting];

    private void RequireFeeds()
    {
        if (_parts.Feeds is null)
        {
            throw new SyncException(ErrorCode.ConfigInvalid, "There are customers and no store for their feeds.",
                "Open a feed store beside the state store.");
        }
    }

    private async Task<CustomerStatus> StatusAsync(
        FeedRuntime runtime, IReadOnlyList<PartitionState> partitions, FeedState? feed, CancellationToken cancellationToken)
    {
        var (view, customer) = (runtime.View, runtime.Customer);
        var topics = TablesOf(customer).Select(t => TableTopics.Of(customer.Tenant, t)).ToHashSet(StringComparer.Ordinal);
        var owned = view.Owned.Keys.ToList();
        // Partitions that another member has go on without this process: what it has recorded counts.
        var elsewhere = owned.Count < view.Partitions
            ? await _parts.Store.ReadPositionsAsync(FeedLeg.IdOf(customer), cancellationToken) : [];
        long behind = 0;
        foreach (var partition in partitions.Where(p => topics.Contains(p.Topic)))
        {
            if (view.Positions.TryGetValue((partition.Topic, partition.Partition), out var position))
            {
                var recorded = elsewhere.FirstOrDefault(p => p.Topic == partition.Topic && p.Partition == partition.Partition);
                behind += Math.Max(0, partition.NextOffset - Math.Max(position, recorded?.Offset ?? 0));
            }
        }

        var (state, error) = view.State;
        return new CustomerStatus(customer.Tenant, customer.Name, state, behind,
            await _parts.Store.CountDeadLettersAsync(FeedLeg.IdOf(customer), cancellationToken),
            view.Counters[LegCounters.Outcome.Seen], view.Counters[LegCounters.Outcome.Written],
            view.Counters[LegCounters.Outcome.Filtered], view.Counters[LegCounters.Outcome.Failed],
            feed?.FirstOffset ?? 1, feed?.LastOffset ?? 0, error)
        {
            Superseded = view.Counters[LegCounters.Outcome.Superseded],
            Push = customer.PushFault is { } fault ? PushStatus.Of(customer.Name, PushState.Disabled, fault) : runtime.Push?.Pusher.Status,
            Owned = [.. owned.Select(static p => $"{p.Topic}/{p.Partition}").Order(StringComparer.Ordinal)],
            Partitions = view.Partitions,
        };
    }

    private static string PauseMark(CustomerModel customer) => $"paused:{customer.FullName}";
}

/// <summary>Where a change of a customer takes effect in one partition.</summary>
/// <param name="Table">The table.</param>
/// <param name="Position">Where its leg goes on.</param>
/// <param name="Effective">The first offset of which the feed has nothing yet; not before the position.</param>
internal sealed record TurningPoint(string Table, LegPosition Position, long Effective);

/// <summary>What a change of a customer stores, and its model from then on.</summary>
internal sealed record CustomerChange(CustomerModel Model, IReadOnlyList<StateMutation> Mutations);
