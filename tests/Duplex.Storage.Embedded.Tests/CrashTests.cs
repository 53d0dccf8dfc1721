using Duplex.Conformance;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Shouldly;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>A process that dies at any moment keeps what it acknowledged, and half of nothing.</summary>
public sealed class CrashTests : IDisposable
{
    private readonly DataDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_killed_log_keeps_every_acknowledged_batch_whole_with_its_position()
    {
        foreach (var acknowledgements in new[] { 1, 300, 900 })
        {
            using var child = Child.Start("log", _directory.Root);
            await child.ListenAsync(acknowledgements);
            await child.KillAsync();
            child.Said.ShouldBeEmpty();
            child.Acknowledged.ShouldNotBeEmpty("the kill must hit a writer at work");
            await CheckLogAsync(child.Acknowledged);
        }
    }

    [Fact]
    public async Task A_killed_state_store_keeps_outcome_and_position_together()
    {
        foreach (var acknowledgements in new[] { 1, 300, 900 })
        {
            using var child = Child.Start("state", _directory.Root);
            await child.ListenAsync(acknowledgements);
            await child.KillAsync();
            child.Said.ShouldBeEmpty();
            child.Acknowledged.ShouldNotBeEmpty("the kill must hit a writer at work");
            await CheckStateAsync(child.Acknowledged);
        }
    }

    [Fact]
    public async Task Killed_feeds_keep_every_acknowledged_record_once_and_without_a_gap()
    {
        foreach (var acknowledgements in new[] { 1, 300, 900 })
        {
            using var child = Child.Start("feed", _directory.Root);
            await child.ListenAsync(acknowledgements);
            await child.KillAsync();
            child.Said.ShouldBeEmpty();
            child.Acknowledged.ShouldNotBeEmpty("the kill must hit a writer at work");
            await CheckFeedsAsync(child.Acknowledged);
        }
    }

    [SkippableTheory]
    [InlineData("pwrite64", 7)]
    [InlineData("pwrite64", 60)]
    [InlineData("fdatasync", 3)]
    [InlineData("fdatasync", 25)]
    public async Task A_kill_at_a_chosen_write_or_sync_of_the_feeds_loses_nothing_acknowledged(
        string call, int occurrence)
    {
        Needs.Program("strace");
        using var child = Child.Start("feed", _directory.Root,
            "-P", _directory.File("feed.db-wal"), "-e", $"trace={call}", "-e",
                $"inject={call}:signal=KILL:when={occurrence}");
        (await child.ListenToEndAsync()).ShouldNotBe(0, "the kill must have happened");
        child.Said.ShouldBeEmpty();
        await CheckFeedsAsync(child.Acknowledged);
    }

    [SkippableTheory]
    [InlineData("pwrite64", 3)]
    [InlineData("pwrite64", 20)]
    [InlineData("pwrite64", 101)]
    [InlineData("fdatasync", 2)]
    [InlineData("fdatasync", 30)]
    public async Task A_kill_at_a_chosen_write_or_sync_of_the_log_loses_nothing_acknowledged(string call,
        int occurrence)
    {
        Needs.Program("strace");
        using var child = Child.Start("log", _directory.Root,
            "-P", _directory.File("log.db-wal"), "-e", $"trace={call}", "-e",
                $"inject={call}:signal=KILL:when={occurrence}");
        (await child.ListenToEndAsync()).ShouldNotBe(0, "the kill must have happened");
        child.Said.ShouldBeEmpty();
        await CheckLogAsync(child.Acknowledged);
    }

    [SkippableFact]
    public async Task A_failed_sync_ends_all_acknowledgement_and_loses_nothing_that_was_acknowledged()
    {
        Needs.Program("strace");
        using var child = Child.Start("log", _directory.Root,
            "-P", _directory.File("log.db-wal"), "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=25");
        (await child.ListenToEndAsync()).ShouldBe(3);
        child.Said.ShouldBe(["failed storage.failed"]);
        child.Acknowledged.ShouldNotBeEmpty();
        await CheckLogAsync(child.Acknowledged);
    }

    private async Task CheckLogAsync(IReadOnlyDictionary<int, long> acknowledged)
    {
        await using var log = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        await log.EnsureAsync(ChildProgram.Partitions);
        var values = new List<string>();
        for (var partition = 0; partition < ChildProgram.Partitions; partition++)
        {
            values.AddRange(await log.ReadAllAsync(partition));
        }

        values.Distinct().Count().ShouldBe(values.Count, "nothing is stored twice");
        for (var writer = 0; writer < ChildProgram.Writers; writer++)
        {
            var position = await log.ReadPositionAsync($"source{writer}", default);
            var stored = (int)(position?.Major ?? 0);
            ((long)stored).ShouldBeGreaterThanOrEqualTo(acknowledged.GetValueOrDefault(writer));
            var expected = Enumerable.Range(1, stored)
                .SelectMany(n => Enumerable.Range(0, 3).Select(part => $"{writer}:{n}:{part}"));
            values.Where(v => v.StartsWith($"{writer}:", StringComparison.Ordinal))
                .ShouldBe(expected, ignoreOrder: true);
        }
    }

    private async Task CheckFeedsAsync(IReadOnlyDictionary<int, long> acknowledged)
    {
        await using var store = await EmbeddedFeedStore.OpenAsync(_directory.Root);
        foreach (var state in await store.DescribeAsync(default))
        {
            var records = await store.ReadAllAsync(feed: state.Name);
            records.Select(static r => r.Offset)
                .ShouldBe(Enumerable.Range(1, (int)state.LastOffset).Select(static n => (long)n));
            var sources = await store.ReadSourcesAsync(state.Name, "", default);
            foreach (var source in records.GroupBy(static r => r.Source))
            {
                source.Select(static r => r.SourceOffset)
                    .ShouldBe(Enumerable.Range(0, source.Count()).Select(static n => (long)n), "each once, in order");
                sources[source.Key].ShouldBe(source.Count() - 1);
                (await store.ReadConsumerAsync(state.Name, source.Key, default) ?? 0)
                    .ShouldBeLessThanOrEqualTo(state.LastOffset);
            }
        }

        foreach (var (writer, number) in acknowledged)
        {
            var source = $"users/{writer}";
            var sources = await store.ReadSourcesAsync($"customer-{writer % ChildProgram.Feeds}", source, default);
            sources[source].ShouldBeGreaterThanOrEqualTo((number * 3) + 2);
        }
    }

    private async Task CheckStateAsync(IReadOnlyDictionary<int, long> acknowledged)
    {
        await using var store = await EmbeddedStateStore.OpenAsync(_directory.Root);
        for (var writer = 0; writer < ChildProgram.Writers; writer++)
        {
            var leg = new LegId($"acme/{writer}", Side.A);
            var positions = await store.ReadPositionsAsync(leg, default);
            var stored = positions.Count == 0 ? 0 : positions[0].Offset;
            stored.ShouldBeGreaterThanOrEqualTo(acknowledged.GetValueOrDefault(writer));
            (await store.ReadValueAsync(leg.Sync, default)).ShouldBe(stored == 0 ? null : $"{stored}");
            var links = await store.ListLinksAsync(leg.Sync, 0, int.MaxValue, default);
            links.Select(static l => l.A.ToString()).Order().ShouldBe(
                Enumerable.Range(1, (int)stored).Select(static n => $"a{n}").Order());
            links.Select(static l => l.Id).Distinct().Count().ShouldBe((int)stored);
        }
    }
}
