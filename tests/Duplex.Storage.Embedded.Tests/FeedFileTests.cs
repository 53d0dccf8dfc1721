using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;
using Shouldly;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>What the file of the feeds does on a full disk, with damage and with a second opener.</summary>
public sealed class FeedFileTests : IDisposable
{
    private static readonly EmbeddedOptions Quick = new() { ProbeInterval = TimeSpan.FromMilliseconds(50) };
    private static readonly string Payload = new('x', 50_000);

    private readonly DataDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [SkippableFact]
    public async Task Feeds_on_a_full_disk_acknowledge_nothing_and_resume_when_there_is_room()
    {
        Needs.Mount();
        using var disk = new SmallDisk(megabytes: 12, ballastMegabytes: 6);
        int stored;
        await using (var store = await EmbeddedFeedStore.OpenAsync(disk.Data, Quick))
        {
            var epoch = await store.AcquireAsync();
            (stored, var error) = await FillAsync(store, epoch);
            disk.FreeBytes.ShouldBeLessThan(512 * 1024, "the disk must really be full");
            error.Code.ShouldBe(ErrorCode.StorageFull);
            error.Message.ShouldContain("feed.db");
            error.Suggestion.ShouldNotBeNull().ShouldContain(disk.Data);
            store.Obstacle.ShouldNotBeNull().Code.ShouldBe(ErrorCode.StorageFull);
            (await store.ReadAllAsync()).Count.ShouldBe(stored, "reads go on");

            disk.MakeRoom();
            await Eventually.BecomesAsync(() => store.Obstacle is null);
            (await store.AppendAsync(epoch, [FeedFacts.Item(stored, "after")]))
                .ShouldBe(new FeedAppend(stored + 1, 0), "what was refused took no offset");
        }

        await using var reopened = await EmbeddedFeedStore.OpenAsync(disk.Data, Quick);
        var records = await reopened.ReadAllAsync();
        records.Select(static r => r.SourceOffset).ShouldBe(Enumerable.Range(0, stored + 1).Select(static n => (long)n));
        records[^1].Offset.ShouldBe(stored + 1);
    }

    [Fact]
    public async Task A_file_at_its_quota_takes_appends_again_after_retention_freed_room()
    {
        var clock = new ManualClock();
        await using var store = await EmbeddedFeedStore.OpenAsync(
            _directory.Root, Quick with { FileBytesMax = 4 << 20, Clock = clock });
        var epoch = await store.AcquireAsync(age: TimeSpan.FromDays(1));
        var (stored, error) = await FillAsync(store, epoch);
        error.Code.ShouldBe(ErrorCode.StorageFull);

        clock.Advance(TimeSpan.FromDays(2));
        (await store.ApplyRetentionAsync(default)).ShouldBe(stored, "retention works while appends are refused");
        await Eventually.BecomesAsync(() => store.Obstacle is null);
        (await store.AppendAsync(epoch, [FeedFacts.Item(stored, "after")])).LastOffset.ShouldBe(stored + 1);
    }

    [Fact]
    public async Task A_second_opener_is_refused_and_waits_end_when_the_feeds_are_closed()
    {
        var store = await EmbeddedFeedStore.OpenAsync(_directory.Root);
        var refused = await Should.ThrowAsync<SyncException>(
            () => EmbeddedFeedStore.OpenAsync(_directory.Root).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.StorageFenced);
        await store.AcquireAsync();
        var wait = store.WaitAsync(FeedFacts.Feed, 0, default).AsTask();
        await store.DisposeAsync();
        await Should.ThrowAsync<OperationCanceledException>(wait.WaitAsync(TimeSpan.FromMinutes(2)));
    }

    [Fact]
    public async Task A_damaged_block_is_told_and_never_handed_out_while_other_feeds_go_on()
    {
        await using (var store = await EmbeddedFeedStore.OpenAsync(_directory.Root))
        {
            foreach (var feed in new[] { FeedFacts.Feed, "customer-b" })
            {
                var epoch = await store.AcquireAsync(feed);
                await store.AppendAsync(epoch, FeedFacts.Items(0, 3), feed: feed);
                await store.AppendAsync(epoch, FeedFacts.Items(3, 3), feed: feed);
            }
        }

        using (var database = Database.OpenWriter(_directory.File("feed.db"), 8192, 1 << 20, 0))
        {
            database.Execute("""
                UPDATE block SET data = CAST(substr(data, 1, 20) || x'00' || substr(data, 22) AS BLOB)
                WHERE id = (SELECT id FROM block WHERE id & 0xFFFFFFFFFFF = 4 ORDER BY id LIMIT 1)
                """);
        }

        await using var damaged = await EmbeddedFeedStore.OpenAsync(_directory.Root);
        (await damaged.ReadAsync()).Texts().ShouldBe(["0", "1", "2"], "what lies before the damage is sound");
        var error = await Should.ThrowAsync<SyncException>(() => damaged.ReadAsync(after: 3).AsTask());
        error.Error.Code.ShouldBe(ErrorCode.StorageUnreadable);
        error.Error.Message.ShouldContain("offset 4");
        (await damaged.ReadAllAsync(feed: "customer-b")).Count.ShouldBe(6);
    }

    private static async Task<(int Stored, SyncError Error)> FillAsync(IFeedStore store, long epoch)
    {
        for (var n = 0; n < 10_000; n++)
        {
            try
            {
                await store.AppendAsync(epoch, [FeedFacts.Item(n, Payload)]);
            }
            catch (SyncException e)
            {
                return (n, e.Error);
            }
        }

        throw new InvalidOperationException("The disk never became full.");
    }
}
