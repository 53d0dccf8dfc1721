using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Topics;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Groups;

/// <summary>
/// Commits how far consumers without members have got to Kafka's consumer groups of their names, so that Kafka's tools show the lag.
/// For people only: nothing reads them back, and what cannot be committed is left to the next time. Removes groups, too.
/// </summary>
internal sealed class GroupOffsets(ClientFactory clients) : IAsyncDisposable
{
    private const int ClientsMax = 16;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RemoveWithin = TimeSpan.FromMinutes(5);
    private readonly Dictionary<string, HashSet<PartitionLog>> _changed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _removing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IConsumer<byte[], byte[]>> _clients = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public void Start() => _running = Task.Run(RunAsync);

    public void Changed(string consumer, PartitionLog partition)
    {
        lock (_changed)
        {
            if (!_changed.TryGetValue(consumer, out var partitions))
            {
                _changed[consumer] = partitions = [];
            }

            partitions.Add(partition);
        }
    }

    /// <summary>The consumer has a member, who commits for it.</summary>
    public void Joined(string consumer)
    {
        lock (_changed)
        {
            _changed.Remove(consumer);
            _removing.Remove(consumer);
        }
    }

    /// <summary>Removes the consumer's group, if there is one: at once, or when its last member's session has timed
    /// out.</summary>
    public async Task RemoveAsync(string consumer)
    {
        lock (_changed)
        {
            _changed.Remove(consumer);
            _removing[consumer] = Environment.TickCount64;
        }

        await RemoveAsync([consumer]).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }

        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                CommitAll();
                await RemoveAsync(Removing()).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The log is closed.
        }
    }

    private List<string> Removing()
    {
        lock (_changed)
        {
            foreach (var (consumer, since) in _removing)
            {
                if (Environment.TickCount64 - since > RemoveWithin.TotalMilliseconds)
                {
                    _removing.Remove(consumer);
                }
            }

            return [.. _removing.Keys];
        }
    }

    private async Task RemoveAsync(List<string> consumers)
    {
        if (consumers.Count == 0)
        {
            return;
        }

        using var admin = clients.Admin();
        foreach (var consumer in consumers)
        {
            try
            {
                await admin.DeleteGroupsAsync([clients.Name(consumer)]).ConfigureAwait(false);
            }
            catch (KafkaException e) when (e is not DeleteGroupsException refused
                || refused.Results.Exists(static r => r.Error.Code is not KafkaCode.GroupIdNotFound))
            {
                // It has a member still, or Kafka does not answer: later, or Kafka forgets it in time.
                continue;
            }
            catch (DeleteGroupsException)
            {
                // It was never committed.
            }

            lock (_changed)
            {
                _removing.Remove(consumer);
            }
        }
    }

    private void CommitAll()
    {
        KeyValuePair<string, HashSet<PartitionLog>>[] changed;
        lock (_changed)
        {
            changed = [.. _changed];
            _changed.Clear();
        }

        foreach (var (consumer, partitions) in changed)
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            try
            {
                Client(consumer).Commit(partitions.Select(p => new TopicPartitionOffset(
                    p.Topic.KafkaName, p.Number, p.Topic.ConsumerOffset(consumer, p.Number))));
            }
            catch (KafkaException)
            {
                foreach (var partition in partitions)
                {
                    Changed(consumer, partition);
                }
            }
        }
    }

    private IConsumer<byte[], byte[]> Client(string consumer)
    {
        if (_clients.TryGetValue(consumer, out var client))
        {
            return client;
        }

        if (_clients.Count >= ClientsMax)
        {
            var spare = _clients.First();
            _clients.Remove(spare.Key);
            spare.Value.Dispose();
        }

        return _clients[consumer] = clients.Consumer(clients.Name(consumer), headers: false, ends: false);
    }
}
