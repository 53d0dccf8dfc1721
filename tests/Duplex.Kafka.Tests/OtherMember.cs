using System.Collections.Immutable;
using Confluent.Kafka;

namespace Duplex.Kafka.Tests;

/// <summary>A program that knows Kafka and not Duplex, in a consumer group: takes the partitions that it is given and reads on.</summary>
internal sealed class OtherMember : IDisposable
{
    private ImmutableSortedSet<int> _owned = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    public OtherMember(string bootstrap, string group, string topic, string? instance)
    {
        var settings = new Dictionary<string, string>
        {
            ["bootstrap.servers"] = bootstrap,
            ["group.id"] = group,
            ["partition.assignment.strategy"] = "cooperative-sticky",
            ["session.timeout.ms"] = "30000",
            ["heartbeat.interval.ms"] = "300",
            ["enable.auto.commit"] = "false",
        };
        if (instance is not null)
        {
            settings["group.instance.id"] = instance;
        }

        _thread = new Thread(() => Run(settings, topic)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>The partitions that it has.</summary>
    public IReadOnlyCollection<int> Owned => Volatile.Read(ref _owned);

    /// <summary>Leaves the group.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run(Dictionary<string, string> settings, string topic)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(settings)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .SetPartitionsAssignedHandler((client, given) => Own(_owned.Union(given.Select(static p => p.Partition.Value))))
            .SetPartitionsRevokedHandler((client, gone) => Own(_owned.Except(gone.Select(static p => p.Partition.Value))))
            .SetPartitionsLostHandler((client, gone) => Own(_owned.Except(gone.Select(static p => p.Partition.Value))))
            .Build();
        consumer.Subscribe(topic);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                consumer.Consume(TimeSpan.FromMilliseconds(50));
            }
            catch (KafkaException)
            {
                // The client goes on by itself, or another has its name and it has nothing more.
            }
        }

        try
        {
            consumer.Close();
        }
        catch (KafkaException)
        {
            // Who was shut out of the group need not leave it.
        }
    }

    /// <summary>Called on the consumer's thread; whoever asks sees all of what was given at once, or nothing of it.</summary>
    private void Own(ImmutableSortedSet<int> partitions) => Volatile.Write(ref _owned, partitions);
}
