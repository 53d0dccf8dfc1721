using Duplex.Simulators.Kafka;
using Xunit;

namespace Duplex.Kafka.Tests;

/// <summary>A real broker on loopback. One for all tests; every test has a prefix of its own.</summary>
public sealed class KafkaBroker : IAsyncLifetime
{
    private PrivateKafka? _kafka;

    public string Bootstrap => _kafka!.Bootstrap;

    /// <summary>Skips the test, or in continuous integration fails it, where there is no broker.</summary>
    public static void Require()
    {
        if (PrivateKafka.Unavailable is not null && Environment.GetEnvironmentVariable("CI") == "true")
        {
            throw new InvalidOperationException(PrivateKafka.Unavailable);
        }

        Skip.If(PrivateKafka.Unavailable is not null, PrivateKafka.Unavailable);
    }

    public async Task InitializeAsync() =>
        _kafka = PrivateKafka.Unavailable is null ? await PrivateKafka.CreateAsync() : null;

    /// <summary>Starts the broker on what its directory holds; returns when it answers.</summary>
    public Task StartAsync() => _kafka!.StartAsync();

    /// <summary>Ends the broker as a lost machine would: nothing of it runs on.</summary>
    public Task KillAsync() => _kafka!.KillAsync();

    public async Task DisposeAsync()
    {
        if (_kafka is not null)
        {
            await _kafka.DisposeAsync();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class KafkaCollection : ICollectionFixture<KafkaBroker>
{
    public const string Name = "kafka";
}
