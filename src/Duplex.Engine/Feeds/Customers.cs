using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>The customers of an engine: each has a leg from the posted tables to its feed.</summary>
public sealed class Customers
{
    private readonly EngineParts _parts;
    private readonly Dictionary<string, FeedRuntime> _runtimes;
    private readonly Func<string, string?, CancellationToken, Task> _put;

    /// <summary>Prepares the customers of a model.</summary>
    /// <param name="parts">What the engine runs on.</param>
    /// <param name="put">Stores a small named value durably; null removes it.</param>
    internal Customers(EngineParts parts, Func<string, string?, CancellationToken, Task> put)
    {
        _parts = parts;
        _put = put;
        _runtimes = parts.Model.Customers.Values.ToDictionary(static c => c.Name, c => new FeedRuntime(c, parts), StringComparer.Ordinal);
    }

    /// <summary>The customers by name.</summary>
    public IReadOnlyDictionary<string, CustomerModel> Models => _parts.Model.Customers;

    /// <summary>
    /// Places the positions of new customers, takes up pauses, and begins. When it returns, a customer that begins with the latest
    /// change misses nothing that is posted from then on.
    /// </summary>
    internal async Task<IReadOnlyList<Task>> StartAsync(CancellationToken stop, CancellationToken cancellationToken)
    {
        if (_runtimes.Count > 0 && _parts.Feeds is null)
        {
            throw new SyncException(ErrorCode.ConfigInvalid, "There are customers and no store for their feeds.",
                "Open a feed store beside the state store.");
        }

        foreach (var runtime in _runtimes.Values)
        {
            var epoch = await _parts.Store.AcquireAsync(FeedLeg.IdOf(runtime.Customer).ToString(), cancellationToken);
            foreach (var (_, position) in await new FeedStarts(runtime.Customer, _parts).PlaceAsync(epoch, cancellationToken))
            {
                runtime.View.Positions[(position.Topic, position.Partition)] = position.Offset;
            }

            await MakeFeedAsync(runtime.Customer, cancellationToken);
            if (await _parts.Store.ReadValueAsync(PauseMark(runtime.Customer), cancellationToken) is not null)
            {
                await runtime.View.PauseAsync(cancellationToken);
            }
        }

        return [.. _runtimes.Values.Select(r => Task.Run(() => r.RunAsync(stop), CancellationToken.None))];
    }

    /// <summary>Pauses a customer's leg; its feed stays readable. Survives restarts. False if there is no such customer.</summary>
    public async Task<bool> PauseAsync(string customer, CancellationToken cancellationToken)
    {
        if (!_runtimes.TryGetValue(customer, out var runtime))
        {
            return false;
        }

        await _put(PauseMark(runtime.Customer), "paused", cancellationToken);
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

        await _put(PauseMark(runtime.Customer), null, cancellationToken);
        runtime.View.Resume();
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

    /// <summary>How the customers stand.</summary>
    public async Task<IReadOnlyList<CustomerStatus>> StatusAsync(
        IReadOnlyList<PartitionState> partitions, CancellationToken cancellationToken)
    {
        if (_runtimes.Count == 0)
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

    private async Task<CustomerStatus> StatusAsync(
        FeedRuntime runtime, IReadOnlyList<PartitionState> partitions, FeedState? feed, CancellationToken cancellationToken)
    {
        var (view, customer) = (runtime.View, runtime.Customer);
        var topics = customer.Tables.Keys.Select(t => TableTopics.Of(customer.Tenant, t)).ToHashSet(StringComparer.Ordinal);
        long behind = 0;
        foreach (var partition in partitions.Where(p => topics.Contains(p.Topic)))
        {
            if (view.Positions.TryGetValue((partition.Topic, partition.Partition), out var position))
            {
                behind += Math.Max(0, partition.NextOffset - position);
            }
        }

        var (state, error) = view.State;
        return new CustomerStatus(customer.Tenant, customer.Name, state, behind,
            await _parts.Store.CountDeadLettersAsync(FeedLeg.IdOf(customer), cancellationToken),
            view.Counters[LegCounters.Outcome.Seen], view.Counters[LegCounters.Outcome.Written],
            view.Counters[LegCounters.Outcome.Filtered], view.Counters[LegCounters.Outcome.Failed],
            feed?.FirstOffset ?? 1, feed?.LastOffset ?? 0, error);
    }

    private static string PauseMark(CustomerModel customer) => $"paused:{customer.FullName}";
}
