using Duplex.Conformance;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Kafka.Tests;

/// <summary>Logs whose entries Kafka itself removes.</summary>
[Collection(KafkaCollection.Name)]
public sealed class BrokerRetentionTests(KafkaBroker broker)
{
    [SkippableFact]
    public async Task Who_has_read_everything_goes_on_after_all_of_it_was_removed()
    {
        var bed = new KafkaLogBed(broker) { BrokerRetention = true };
        long end;
        await using (var log = await bed.OpenAsync(TimeProvider.System))
        {
            await log.EnsureAsync(age: TimeSpan.FromSeconds(1));
            await log.AppendAsync(LogFacts.Batch(null, "1", "2"));
            end = (await log.DescribeAsync(0)).NextOffset;
            await Eventually.BecomesAsync(async () =>
            {
                await log.ApplyRetentionAsync(default);
                return (await log.DescribeAsync(0)).OldestAt is null;
            });
            await StandsAtAsync(log, end);
        }

        await using var reopened = await bed.OpenAsync(TimeProvider.System);
        await StandsAtAsync(reopened, end);
        await reopened.EnsureAsync(age: TimeSpan.FromDays(1));
        await reopened.AppendAsync(LogFacts.Delivery("evt_1", "a", "3"));
        await reopened.WaitAsync(LogFacts.Topic, 0, end, default);
        (await reopened.ReadAllAsync(offset: end)).ShouldBe(["3"]);
        var behind = await Should.ThrowAsync<SyncException>(() => reopened.ReadAllAsync(offset: 0));
        behind.Error.Code.ShouldBe(ErrorCode.StorageUnreadable, "who had not read what was removed must know");
    }

    private static async Task StandsAtAsync(IChangeLog log, long end)
    {
        (await log.DescribeAsync(0)).NextOffset.ShouldBe(end, "nothing was appended");
        using var page = await log.ReadAsync(LogFacts.Topic, 0, end, 10, 1000, default);
        page.Count.ShouldBe(0);
    }
}
