using Duplex.Conformance;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;
using Shouldly;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>One process owns a data directory, and every commit of it is on the disk.</summary>
public sealed class OwnershipTests : IDisposable
{
    private readonly DataDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_second_process_is_refused_with_the_first_ones_number_and_the_fix()
    {
        using var child = Child.Start("hold", _directory.Root);
        await child.ListenAsync(1);
        child.Said.ShouldBe(["ready"]);
        var log = await Should.ThrowAsync<SyncException>(() => EmbeddedChangeLog.OpenAsync(_directory.Root).AsTask());
        var state = await Should.ThrowAsync<SyncException>(() => EmbeddedStateStore.OpenAsync(_directory.Root)
            .AsTask());
        foreach (var error in new[] { log.Error, state.Error })
        {
            error.Code.ShouldBe(ErrorCode.StorageFenced);
            error.Message.ShouldContain($"pid {child.Id}");
            error.Message.ShouldContain(_directory.Root);
            error.Suggestion.ShouldNotBeNull().ShouldContain("Stop the other");
        }

        await child.KillAsync();
        await using var taken = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        await taken.EnsureAsync();
    }

    [Fact]
    public async Task A_second_opener_in_the_same_process_is_refused()
    {
        await using var log = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        var refused =
            await Should.ThrowAsync<SyncException>(() => EmbeddedChangeLog.OpenAsync(_directory.Root).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.StorageFenced);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_made_is_told_with_the_fix()
    {
        var file = _directory.File("a-file");
        await File.WriteAllTextAsync(file, "");
        var refused = await Should.ThrowAsync<SyncException>(() =>
            EmbeddedChangeLog.OpenAsync(Path.Combine(file, "data")).AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.StorageFailed);
        refused.Error.Message.ShouldContain(file);
        refused.Error.Suggestion.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_place_that_takes_no_files_is_not_called_in_use()
    {
        var refused = await Should.ThrowAsync<SyncException>(() => EmbeddedChangeLog.OpenAsync("/proc/duplex").AsTask());
        refused.Error.Code.ShouldBe(ErrorCode.StorageFailed);
        refused.Error.Message.ShouldStartWith("The data directory /proc/duplex cannot be written: ");
    }

    [Fact]
    public void Commits_are_synced_to_the_disk_one_by_one()
    {
        using var database = Database.OpenWriter(_directory.File("x.db"), 4096, 1 << 20, 0);
        database.Query("PRAGMA journal_mode").ShouldBe("wal");
        database.Query("PRAGMA synchronous").ShouldBe("2");
    }

    [Fact]
    public async Task Waits_end_when_the_log_is_closed()
    {
        var log = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        await log.EnsureAsync();
        var wait = log.WaitAsync(LogFacts.Topic, 0, 0, default).AsTask();
        await log.DisposeAsync();
        await Should.ThrowAsync<OperationCanceledException>(wait.WaitAsync(TimeSpan.FromMinutes(2)));
        await Should.ThrowAsync<ObjectDisposedException>(() => log.AppendAsync(LogFacts.Batch(null, "late")));
    }
}
