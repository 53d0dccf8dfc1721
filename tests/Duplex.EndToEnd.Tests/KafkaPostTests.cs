using Xunit.Abstractions;

namespace Duplex.EndToEnd.Tests;

/// <summary>Posts by many clients on a log on Kafka while server and broker are killed (<see cref="PostLoad"/>).</summary>
[Collection(KafkaCollection.Name)]
public sealed class KafkaPostTests(SharedKafka kafka, ITestOutputHelper output)
{
    // A broker takes seconds to start, a server does not.
    private const int BrokerKills = 2;

    [SkippableFact]
    public async Task What_was_answered_is_in_every_feed_once_and_in_order_however_often_the_server_is_killed()
    {
        SharedKafka.Require();
        await using var load = new PostLoad(kafka.Section(SharedKafka.Prefix()));
        await load.RunAsync(PostLoad.Kills, _ => load.KillServerAsync());
        await load.CheckAsync();
        load.Repeated.ShouldBeGreaterThan(0, "no post met a kill");
        load.Server.Kills.ShouldBe(PostLoad.Kills);
        output.WriteLine($"{PostLoad.Records} records, {PostLoad.Kills} kills, {load.Repeated} posts repeated");
    }

    [SkippableFact]
    public async Task What_was_answered_is_in_every_feed_once_and_in_order_however_often_the_broker_is_killed()
    {
        SharedKafka.Require();
        await using var load = new PostLoad(kafka.Section(SharedKafka.Prefix()));
        await load.RunAsync(BrokerKills, async n =>
        {
            await kafka.Broker.KillAsync();
            if (n == BrokerKills)
            {
                // Both at once, and the server is there first.
                await load.KillServerAsync();
            }

            await kafka.Broker.StartAsync();
        });
        await load.CheckAsync();
        load.Repeated.ShouldBeGreaterThan(0, "no post met a kill");
        output.WriteLine($"{PostLoad.Records} records, {BrokerKills} kills of the broker, {load.Repeated} posts repeated");
    }
}
