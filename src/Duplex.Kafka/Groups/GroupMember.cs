using System.Collections.Concurrent;
using Confluent.Kafka;
using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Topics;
using Duplex.Sdk;
using ErrorCode = Duplex.Sdk.ErrorCode;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Groups;

/// <summary>
/// One member of a consumer group. It shares partitions with the group's other members and commits how far its owner has got; it
/// reads nothing. The client is used on one thread, on which it also calls back.
/// </summary>
internal sealed class GroupMember
{
    private const int SafeToDisposeAnyTime = 0x02030000;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan JoinWithin = TimeSpan.FromSeconds(15);

    // Far below the time after which the group goes on without a member that does not let go.
    private static readonly TimeSpan ReleaseWithin = TimeSpan.FromSeconds(20);

    // Kept from being finalized, which would dispose them.
    private static readonly ConcurrentBag<IConsumer<byte[], byte[]>> Abandoned = [];

    private readonly string _consumer;
    private readonly string _group;
    private readonly Dictionary<TopicPartition, PartitionLog> _partitions;
    private readonly Dictionary<TopicPartition, PartitionHold> _holds = [];
    private readonly ConcurrentDictionary<PartitionLog, bool> _changed = new();
    private readonly List<TopicPartition> _fetching = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<IConsumer<byte[], byte[]>> _build;
    private readonly long _startedAt = Environment.TickCount64;
    private IConsumer<byte[], byte[]> _client = null!;
    private bool _assigned;
    private bool _unfit;
    private bool _rejoined;
    private volatile Error? _complaint;
    private volatile Error? _fatal;

    public GroupMember(ClientFactory clients, string consumer, string member, IReadOnlyList<Topic> topics)
    {
        _consumer = consumer;
        Name = member;
        _group = clients.Name(consumer);
        _partitions = topics.SelectMany(static t => t.Partitions).ToDictionary(At);
        _build = () => clients.Member(_group, member, builder => builder
            .SetErrorHandler((_, error) => Complain(error))
            .SetPartitionsAssignedHandler((_, given) => Assigned(given))
            .SetPartitionsRevokedHandler((_, wanted) => Revoked([.. wanted.Select(static p => p.TopicPartition)]))
            .SetPartitionsLostHandler((_, lost) => Lost([.. lost.Select(static p => p.TopicPartition)])));
        Share = new PartitionShare(LeaveAsync);
    }

    /// <summary>Its name in the group.</summary>
    public string Name { get; }

    /// <summary>What the member has.</summary>
    public PartitionShare Share { get; }

    /// <summary>Completes when nothing of the member is left.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Begins once what had its name before is gone: two at a time would shut each other out.</summary>
    public void Start(Task before) =>
        new Thread(() => Run(before)) { Name = $"duplex member of {_group}", IsBackground = true }.Start();

    /// <summary>Notes that its owner has got further in a partition.</summary>
    public void Changed(PartitionLog partition) => _changed[partition] = true;

    /// <summary>
    /// Ends the member, whose owner has released everything. The group keeps its place until the session times out, so that it
    /// gets back what it had when it returns before.
    /// </summary>
    public async ValueTask LeaveAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _left.Task.ConfigureAwait(false);
    }

    private void Run(Task before)
    {
        try
        {
            while (!before.Wait(Step))
            {
                Await();
                if (_stop.IsCancellationRequested)
                {
                    _left.TrySetResult();
                }
            }

            if (!_stop.IsCancellationRequested)
            {
                _client = _build();
                RunClient();
            }
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            Share.End(new SyncError(ErrorCode.ConfigInvalid, $"Kafka's client refuses a setting: {e.Message}",
                Suggestion: "Correct log.kafka; further settings have librdkafka's names."));
        }
        finally
        {
            _left.TrySetResult();
            _ended.TrySetResult();
        }
    }

    private void RunClient()
    {
        try
        {
            _client.Subscribe(Names());
            while (!_stop.IsCancellationRequested && _fatal is null)
            {
                Poll();
                Tend();
                Await();
            }

            CommitLast();
        }
        catch (Exception e) when (e is KafkaException or InvalidOperationException)
        {
            _fatal ??= (e as KafkaException)?.Error ?? new Error(KafkaCode.Local_Fatal, e.Message);
        }

        Lose(_holds.Keys);
        if (_fatal is { } fatal)
        {
            Share.End(fatal.Code == KafkaCode.FencedInstanceId ? Fenced() : Faults.Unavailable($"Group {_group} is left", fatal));
        }

        DisposeClient();
    }

    /// <summary>
    /// Disposes the client, which does not leave the group: a member with a name of its own keeps its place. An older client
    /// library ends the process when that happens between the join and the first assignment; a client that may be
    /// there is waited for, however long the group does not answer.
    /// </summary>
    private void DisposeClient()
    {
        while (!_assigned && _fatal is null && Library.Version < SafeToDisposeAnyTime)
        {
            // The owner has nothing of it and does not wait.
            _left.TrySetResult();
            Poll();
        }

        if (_assigned || Library.Version >= SafeToDisposeAnyTime)
        {
            _client.Dispose();
        }
        else
        {
            Abandoned.Add(_client);
        }
    }

    /// <summary>Lets the client call back. What it may have fetched before it was paused is read elsewhere.</summary>
    private void Poll()
    {
        try
        {
            _client.Consume(Step);
        }
        catch (ConsumeException e)
        {
            Complain(e.Error);
        }
    }

    private void Tend()
    {
        Pause();
        StoreOffsets(_holds.Keys);
        if (_unfit)
        {
            Rejoin();
        }

        if (_assigned && _holds.Count == 0 && Share.Obstacle is null && IsLate)
        {
            Rejoin();
        }
    }

    private void Pause()
    {
        if (_fetching.Count > 0)
        {
            var assigned = _client.Assignment;
            _client.Pause(_fetching.Where(assigned.Contains).ToList());
            _fetching.Clear();
        }
    }

    private void Await()
    {
        if (!_assigned && IsLate)
        {
            Share.Obstacle ??= Outside("has not taken this process in");
        }
    }

    /// <summary>
    /// Leaves and joins anew, once. A group gives a member that returns under its name what it had before without looking at
    /// the topics that it asks for; only a member that joins anew is given those.
    /// </summary>
    private void Rejoin()
    {
        _unfit = false;
        if (!_rejoined)
        {
            _rejoined = true;
            _client.Unsubscribe();
            _client.Subscribe(Names());
        }
    }

    private List<TopicPartitionOffset> Assigned(List<TopicPartition> given)
    {
        _unfit = !_assigned && given.Count > 0 && !Fits(given);
        (_assigned, _complaint) = (true, null);
        if (!_unfit && !_stop.IsCancellationRequested)
        {
            var known = given.Where(_partitions.ContainsKey).ToList();
            foreach (var at in known)
            {
                _holds[at] = new PartitionHold(_partitions[at].Topic.Name, at.Partition.Value);
            }

            Share.Obstacle = null;
            Share.Give([.. known.Select(at => _holds[at])]);
        }

        _fetching.AddRange(given);
        return [.. given.Select(static at => new TopicPartitionOffset(at, Offset.End))];
    }

    private bool Fits(List<TopicPartition> given) => Names().ToHashSet().SetEquals(given.Select(static at => at.Topic));

    private void Revoked(IReadOnlyList<TopicPartition> wanted)
    {
        var holds = wanted.Where(_holds.ContainsKey).Select(at => _holds[at]).ToList();
        foreach (var hold in holds)
        {
            hold.CallBack();
        }

        // What is not let go in time is shut out by its next owner's epoch.
        if (!Task.WaitAll([.. holds.Select(static h => h.Released)], ReleaseWithin))
        {
            Complain(new Error(KafkaCode.Local_TimedOut));
        }

        // The client commits what is stored before it lets go.
        StoreOffsets(wanted);
        Lose(wanted);
    }

    private void Lost(IReadOnlyList<TopicPartition> lost)
    {
        Share.Obstacle = Outside("has gone on without this process, which it had not heard of in time");
        Lose(lost);
    }

    private void Lose(IEnumerable<TopicPartition> partitions)
    {
        foreach (var at in partitions.Where(_holds.ContainsKey).ToList())
        {
            _holds[at].Lose();
            _holds.Remove(at);
            _fetching.Remove(at);
            _changed.TryRemove(_partitions[at], out _);
        }
    }

    /// <summary>Hands over to the client what it commits within two seconds, or when it lets go of the partition.</summary>
    private void StoreOffsets(IEnumerable<TopicPartition> partitions)
    {
        foreach (var at in partitions.Where(_holds.ContainsKey))
        {
            var partition = _partitions[at];
            if (!_changed.TryRemove(partition, out _))
            {
                continue;
            }

            try
            {
                _client.StoreOffset(new TopicPartitionOffset(at, partition.Topic.ConsumerOffset(_consumer, partition.Number)));
            }
            catch (KafkaException)
            {
                // The client is not ready for it, or has let go: for people only, and told again.
                _changed[partition] = true;
            }
        }
    }

    private void CommitLast()
    {
        StoreOffsets(_holds.Keys);
        if (_holds.Count == 0 || _complaint is not null || _fatal is not null)
        {
            return;
        }

        try
        {
            _client.Commit();
        }
        catch (KafkaException)
        {
            // Only Kafka's tools show it, and the next start tells them.
        }
    }

    private void Complain(Error error)
    {
        _complaint = error;
        if (error.IsFatal)
        {
            _fatal = error;
        }
    }

    private bool IsLate => Environment.TickCount64 - _startedAt > JoinWithin.TotalMilliseconds;

    private IEnumerable<string> Names() => _partitions.Keys.Select(static at => at.Topic).Distinct();

    private SyncError Outside(string what) => new(ErrorCode.StorageUnavailable,
        $"Consumer group {_group} {what}{(_complaint is { } complaint ? $": {complaint.Reason} ({complaint.Code})" : "")}.",
        Suggestion: "It goes on by itself once the group's coordinator answers; its members are told by "
        + "kafka-consumer-groups.sh --describe --members.");

    private SyncError Fenced() => new(ErrorCode.StorageFenced,
        $"Another process has taken this one's place in consumer group {_group}.",
        Suggestion: "Run one Duplex per state store; stop this one or the other.");

    private static TopicPartition At(PartitionLog partition) => new(partition.Topic.KafkaName, partition.Number);
}
