using Duplex.Conformance;
using Duplex.Engine.Log;

namespace Duplex.Kafka.Tests;

/// <summary>A log under a prefix of its own.</summary>
internal sealed class KafkaLogBed(KafkaBroker broker) : IBed<IChangeLog>
{
    public string Prefix { get; } = $"t{Guid.NewGuid():N}"[..12];

    /// <summary>How long an append waits for the broker.</summary>
    public TimeSpan AppendWithin { get; init; } = TimeSpan.FromSeconds(60);

    public bool BrokerRetention { get; init; }

    /// <summary>How many delivery ids a topic remembers.</summary>
    public int DeliveriesMax { get; init; } = 100_000;

    public async Task<IChangeLog> OpenAsync(TimeProvider clock)
    {
        KafkaBroker.Require();
        return await KafkaChangeLog.OpenAsync(
            new KafkaLogOptions
            {
                Bootstrap = broker.Bootstrap,
                Prefix = Prefix,
                Clock = clock,
                AppendWithin = AppendWithin,
                BrokerRetention = BrokerRetention,
                DeliveriesMax = DeliveriesMax,
            }, default);
    }

    public void Dispose()
    {
        // The broker's directory goes with the broker.
    }
}
