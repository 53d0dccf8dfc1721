using Duplex.Conformance;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;
using Shouldly;
using Xunit;
using static Duplex.Engine.State.StateMutation;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>On a full disk nothing is acknowledged, the reason is told, and work goes on by itself once there is
/// room.</summary>
public sealed class DiskFullTests
{
    private static readonly EmbeddedOptions Quick = new() { ProbeInterval = TimeSpan.FromMilliseconds(50) };
    private static readonly string Payload = new('x', 50_000);

    [SkippableFact]
    public async Task A_log_on_a_full_disk_acknowledges_nothing_and_resumes_when_there_is_room()
    {
        Needs.Mount();
        using var disk = new SmallDisk(megabytes: 12, ballastMegabytes: 6);
        var stored = 0;
        await using (var log = await EmbeddedChangeLog.OpenAsync(disk.Data, Quick))
        {
            await log.EnsureAsync();
            (stored, var error) = await FillAsync(log);
            disk.FreeBytes.ShouldBeLessThan(512 * 1024, "the disk must really be full");
            error.Code.ShouldBe(ErrorCode.StorageFull);
            error.Message.ShouldContain("log.db");
            error.Suggestion.ShouldNotBeNull().ShouldContain(disk.Data);
            log.Obstacle.ShouldNotBeNull().Code.ShouldBe(ErrorCode.StorageFull);

            var refusals = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => RefusalAsync(log, 1000 + n)));
            refusals.ShouldAllBe(static code => code == ErrorCode.StorageFull);
            (await log.ReadAllAsync()).Count.ShouldBe(stored, "reads go on");

            disk.MakeRoom();
            await Eventually.BecomesAsync(() => log.Obstacle is null);
            await log.AppendAsync(LogFacts.Batch(new Position(1, 5000, 0), "after"));
            (await log.ReadAllAsync()).Count.ShouldBe(stored + 1);
        }

        await using var reopened = await EmbeddedChangeLog.OpenAsync(disk.Data, Quick);
        var values = await reopened.ReadAllAsync();
        values.Select(static v => v[..5]).ShouldBe(
            Enumerable.Range(0, stored).Select(static n => $"{n:00000}").Append("after"));
        (await reopened.ReadPositionAsync("acme/shop", default)).ShouldBe(new Position(1, 5000, 0));
    }

    [SkippableFact]
    public async Task A_log_opens_on_a_full_disk_says_so_and_resumes_when_there_is_room()
    {
        Needs.Mount();
        using var disk = new SmallDisk(megabytes: 12, ballastMegabytes: 6);
        int stored;
        await using (var log = await EmbeddedChangeLog.OpenAsync(disk.Data, Quick))
        {
            await log.EnsureAsync();
            (stored, _) = await FillAsync(log);
        }

        await using var reopened = await EmbeddedChangeLog.OpenAsync(disk.Data, Quick);
        var (more, _) = await FillAsync(reopened, from: stored);
        reopened.Obstacle.ShouldNotBeNull().Code.ShouldBe(ErrorCode.StorageFull);
        disk.MakeRoom();
        await Eventually.BecomesAsync(() => reopened.Obstacle is null);
        await reopened.AppendAsync(LogFacts.Batch(null, "after"));
        (await reopened.ReadAllAsync()).Count.ShouldBe(stored + more + 1);
    }

    [SkippableFact]
    public async Task A_state_store_on_a_full_disk_commits_nothing_and_resumes_when_there_is_room()
    {
        Needs.Mount();
        using var disk = new SmallDisk(megabytes: 12, ballastMegabytes: 6);
        await using var store = await EmbeddedStateStore.OpenAsync(disk.Data, Quick);
        var epoch = await store.AcquireAsync("leg", default);
        var stored = 0;
        SyncException? full = null;
        while (full is null)
        {
            stored.ShouldBeLessThan(10_000, "the disk has 6 MB");
            try
            {
                await CommitAsync(stored + 1);
                stored++;
            }
            catch (SyncException e)
            {
                full = e;
            }
        }

        disk.FreeBytes.ShouldBeLessThan(512 * 1024, "the disk must really be full");
        full.Error.Code.ShouldBe(ErrorCode.StorageFull);
        store.Obstacle.ShouldNotBeNull();
        (await store.ReadPositionsAsync(StateFacts.Leg, default)).ShouldHaveSingleItem().Offset.ShouldBe(stored);
        (await store.CountLinksAsync(StateFacts.Sync, LinkState.Live, default)).ShouldBe(stored);

        disk.MakeRoom();
        await Eventually.BecomesAsync(() => store.Obstacle is null);
        await CommitAsync(stored + 1);
        (await store.CountLinksAsync(StateFacts.Sync, LinkState.Live, default)).ShouldBe(stored + 1);

        async Task CommitAsync(int n)
        {
            var link = StateFacts.Link(store.NextLinkId(), $"a{n}", $"b{n}") with { ShadowA =
                StateFacts.Bytes(Payload) };
            var commit = StateFacts.Commit("leg", epoch, new PutLink(link));
            commit.Positions.Add(new LegPosition(StateFacts.Leg, "t", 0, n));
            await store.CommitAsync(commit, default);
        }
    }

    [Fact]
    public async Task A_file_at_its_quota_takes_appends_again_after_retention_freed_room()
    {
        using var directory = new DataDirectory();
        var clock = new ManualClock();
        await using var log = await EmbeddedChangeLog.OpenAsync(
            directory.Root, Quick with { FileBytesMax = 4 << 20, Clock = clock });
        await log.EnsureAsync(age: TimeSpan.FromDays(1));
        var (stored, error) = await FillAsync(log);
        error.Code.ShouldBe(ErrorCode.StorageFull);
        stored.ShouldBeInRange(40, 90);

        clock.Advance(TimeSpan.FromDays(2));
        (await log.ApplyRetentionAsync(default)).ShouldBe(stored, "retention works while appends are refused");
        await Eventually.BecomesAsync(() => log.Obstacle is null);
        await log.AppendAsync(LogFacts.Batch(null, "after"));
        (await log.ReadAllAsync(offset: stored)).ShouldBe(["after"]);
    }

    private static async Task<(int Stored, SyncError Error)> FillAsync(IChangeLog log, int from = 0)
    {
        for (var n = 0; n < 10_000; n++)
        {
            try
            {
                await log.AppendAsync(
                    LogFacts.Batch(new Position(1, (ulong)(from + n), 0), $"{from + n:00000}{Payload}"));
            }
            catch (SyncException e)
            {
                return (n, e.Error);
            }
        }

        throw new InvalidOperationException("The disk never became full.");
    }

    private static async Task<ErrorCode?> RefusalAsync(IChangeLog log, int n)
    {
        try
        {
            await log.AppendAsync(LogFacts.Batch(null, $"{n}{Payload}"), $"source{n}");
            return null;
        }
        catch (SyncException e)
        {
            return e.Error.Code;
        }
    }
}
