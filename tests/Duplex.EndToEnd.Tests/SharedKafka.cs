using Duplex.Engine.Log;
using Duplex.Kafka;
using Duplex.Simulators.Kafka;

namespace Duplex.EndToEnd.Tests;

/// <summary>One Kafka broker for the tests of the collection, each with a prefix of its own.</summary>
public sealed class SharedKafka : IAsyncLifetime
{
    private PrivateKafka? _kafka;

    internal PrivateKafka Broker => _kafka!;

    /// <summary>Skips the test, or in continuous integration fails it, where there is no broker.</summary>
    public static void Require()
    {
        if (PrivateKafka.Unavailable is not null && Environment.GetEnvironmentVariable("CI") == "true")
        {
            throw new InvalidOperationException(PrivateKafka.Unavailable);
        }

        Skip.If(PrivateKafka.Unavailable is not null, PrivateKafka.Unavailable);
    }

    /// <summary>A prefix that no other test has.</summary>
    public static string Prefix() => "t" + Guid.NewGuid().ToString("N")[..11];

    /// <summary>The <c>log</c> section of a configuration.</summary>
    public string Section(string prefix) =>
        $"log: {{ kafka: {{ bootstrap: \"{Broker.Bootstrap}\", prefix: {prefix}, partitions: 4, append_within: 5s }} }}";

    /// <summary>Opens the log with the prefix.</summary>
    internal async Task<IChangeLog> OpenAsync(string prefix) => await KafkaChangeLog.OpenAsync(
        new KafkaLogOptions { Bootstrap = Broker.Bootstrap, Prefix = prefix, AppendWithin = TimeSpan.FromSeconds(5) }, default);

    public async Task InitializeAsync() =>
        _kafka = PrivateKafka.Unavailable is null ? await PrivateKafka.CreateAsync() : null;

    public async Task DisposeAsync()
    {
        if (_kafka is not null)
        {
            await _kafka.DisposeAsync();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class KafkaCollection : ICollectionFixture<SharedKafka>
{
    public const string Name = "kafka";
}
