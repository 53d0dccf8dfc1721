using System.Runtime.ExceptionServices;
using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Registry;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>One life of a customer's leg: takes ownership of its feed, and carries the partitions that are its own into it.</summary>
internal sealed class FeedLeg(CustomerModel customer, EngineParts parts, PageRoom room, FeedView view)
{
    private long _epoch;
    private readonly TaskCompletionSource _owns = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _mayHaveLetters = true;

    public CustomerModel Customer { get; } = customer;

    public FeedView View { get; } = view;

    public PageRoom Room { get; } = room;

    public LegId Id { get; } = IdOf(customer);

    public IChangeLog Log => parts.Log;

    public IFeedStore Feeds => parts.Feeds!;

    public TimeProvider Clock => parts.Clock;

    public long FeedEpoch { get; private set; }

    /// <summary>Completes when the leg owns its feed and its records in the state store.</summary>
    public Task Owns => _owns.Task;

    /// <summary>The leg of a customer.</summary>
    public static LegId IdOf(CustomerModel customer) => new(customer.LegName, Side.A);

    /// <summary>What a feed calls a partition that its records come from.</summary>
    public static string SourceOf(CustomerModel customer, string topic, int partition) => customer.Generation == 1
        ? $"{topic}/{partition}" : $"{topic}/{partition}~{customer.Generation}";

    /// <summary>Runs until cancelled (returns) or broken (throws what broke it).</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _epoch = await parts.Store.AcquireAsync(Id.ToString(), cancellationToken);
        FeedEpoch = await Feeds.AcquireAsync(Customer.Feed, cancellationToken);
        _mayHaveLetters = await parts.Store.CountDeadLettersAsync(Id, cancellationToken) > 0;
        _owns.TrySetResult();
        var positions = await new FeedStarts(Customer, parts).PlaceAsync(_epoch, cancellationToken);
        var read = positions.Where(p => Customer.Tables.ContainsKey(p.Table)).ToList();
        var tables = read.Select(static p => (p.Position.Topic, p.Table)).Distinct()
            .ToDictionary(static t => t.Topic, static t => t.Table, StringComparer.Ordinal);
        await using var share = await Log.JoinAsync(
            Id.ToString(), $"duplex-{parts.Store.Installation}", tables.Keys, cancellationToken);
        View.Begin(share, read.Count);
        try
        {
            await RunAsync(new FeedPartitions(this, parts.Store, tables), share, cancellationToken);
        }
        finally
        {
            View.End();
        }
    }

    /// <summary>Makes the customer's record of a change with a form of its table.</summary>
    public FeedTransform.Outcome Transform(
        FeedTransform transform, Change change, ReadOnlyMemory<byte> key, long offset, TableModel table) =>
        transform.Run(change, key, offset, Customer, table, Clock);

    /// <summary>Transforms a parked change anew; true when it came through and the letter is gone.</summary>
    public async Task<bool> ReplayAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var change = ChangeEnvelope.Parse(letter.Key, letter.Envelope);
        if (!Customer.Tables.TryGetValue(change.Stream, out var table))
        {
            return false;
        }

        using var transform = new FeedTransform();
        var key = System.Text.Encoding.UTF8.GetBytes(letter.Key.Json);
        var outcome = Transform(transform, change, key, letter.Offset, table);
        if (outcome.Error is { } error)
        {
            var again = letter with { Attempts = letter.Attempts + 1, AtMicros = Clock.NowMicros(), Error = error };
            await CommitAsync([new StateMutation.PutDeadLetter(again), Line(letter.Key, again, change)], cancellationToken);
            return false;
        }

        if (outcome.Item is { } item)
        {
            await Feeds.AppendAsync(Customer.Feed.Name, FeedEpoch, $"letter/{letter.Id}", [item], cancellationToken);
        }

        await CommitAsync([new StateMutation.RemoveDeadLetter(Id, letter.Key, letter.Stream)], cancellationToken);
        return true;
    }

    /// <summary>The customer's last replay.</summary>
    public async ValueTask<StoredReplay?> ReadReplayAsync(CancellationToken cancellationToken) =>
        await parts.Store.ReadValueAsync(StoredNames.Replay(Customer.Name), cancellationToken) is { } text
            ? StoredNames.Read<StoredReplay>(text) : null;

    /// <summary>The keys of a table's page whose record has a dead letter.</summary>
    public async ValueTask<IReadOnlySet<RecordKey>> FindLettersAsync(
        LogPage page, string table, CancellationToken cancellationToken)
    {
        if (!_mayHaveLetters)
        {
            return new HashSet<RecordKey>();
        }

        var keys = Enumerable.Range(0, page.Count).Select(i => RecordKey.FromUtf8(page.Key(i).Span)).Distinct().ToArray();
        var found = await parts.Store.FindDeadLettersAsync(Id, table, keys, cancellationToken);
        return found.Where(static l => l is not null).Select(static l => l!.Key).ToHashSet();
    }

    /// <summary>The version that the leg knows of each record of a table; null where it knows none.</summary>
    public ValueTask<IReadOnlyList<string?>> FindVersionsAsync(
        string table, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken) =>
        parts.Store.FindVersionsAsync(Id, table, keys, cancellationToken);

    /// <summary>Sees whether another owner has left dead letters.</summary>
    public async ValueTask LookForLettersAsync(CancellationToken cancellationToken)
    {
        if (!_mayHaveLetters)
        {
            _mayHaveLetters = await parts.Store.CountDeadLettersAsync(Id, cancellationToken) > 0;
        }
    }

    /// <summary>Commits what concerns the leg as a whole.</summary>
    public Task CommitAsync(IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken) =>
        CommitAsync(new StateCommit { Owner = Id.ToString(), Epoch = _epoch }, mutations, cancellationToken);

    /// <summary>Commits how far a partition is, with what became of its records.</summary>
    public Task CommitAsync(
        Claim claim, IReadOnlyList<StateMutation> mutations, LegPosition position, CancellationToken cancellationToken) =>
        CommitAsync(new StateCommit { Owner = claim.Owner, Epoch = claim.Epoch, Positions = { position } }, mutations, cancellationToken);

    /// <summary>The line of a record's timeline that tells why it was parked.</summary>
    public StateMutation Line(RecordKey key, DeadLetter letter, Change change) => Line(
        key, change, TimelineKind.DeadLettered, new TimelineDetail { Error = letter.Error, Attempt = letter.Attempts });

    /// <summary>A line of a record's timeline.</summary>
    public StateMutation Line(RecordKey key, Change change, TimelineKind kind, TimelineDetail detail) =>
        new StateMutation.AddTimeline(new TimelineEvent(
            Customer.FullName, key, default, Clock.NowMicros(), kind, Side.A, detail.ToUtf8(change)));

    private async Task RunAsync(FeedPartitions partitions, PartitionShare share, CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> loops = [partitions.RunAsync(share, reading.Token), new FeedReplay(this).RunAsync(reading.Token)];
        var broken = await Task.WhenAny(loops);
        await reading.CancelAsync();
        await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!cancellationToken.IsCancellationRequested)
        {
            var first = loops.Find(static l => l.IsFaulted) ?? broken;
            ExceptionDispatchInfo.Throw(first.Exception?.InnerException ?? new OperationCanceledException());
        }
    }

    private async Task CommitAsync(
        StateCommit commit, IReadOnlyList<StateMutation> mutations, CancellationToken cancellationToken)
    {
        commit.Mutations.AddRange(mutations);
        await parts.Store.CommitAsync(commit, cancellationToken);
        _mayHaveLetters |= mutations.Any(static m => m is StateMutation.PutDeadLetter);
    }
}
