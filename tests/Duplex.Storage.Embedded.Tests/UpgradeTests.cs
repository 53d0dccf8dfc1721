using Duplex.Conformance;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Sqlite;
using Shouldly;
using Xunit;
using static Duplex.Engine.State.StateMutation;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>A data directory of an earlier version is taken over as it is.</summary>
public sealed class UpgradeTests : IDisposable
{
    private const string BackToTheFirstFormat = """
        ALTER TABLE conflict DROP COLUMN base;
        DROP INDEX dead_letter_key;
        ALTER TABLE dead_letter DROP COLUMN stream;
        CREATE UNIQUE INDEX dead_letter_key ON dead_letter (leg, key);
        DROP TABLE tally;
        DROP TABLE version;
        DROP TABLE forgotten_version;
        PRAGMA user_version = 1
        """;

    private readonly DataDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_log_of_the_first_format_is_given_an_identity_and_keeps_its_entries()
    {
        await using (var log = await EmbeddedChangeLog.OpenAsync(_directory.Root))
        {
            await log.EnsureAsync();
            await log.AppendAsync(LogFacts.Batch(null, "0"));
        }

        using (var database = Database.OpenWriter(_directory.File("log.db"), 8192, 1 << 20, 0))
        {
            database.Execute("DROP TABLE identity; PRAGMA user_version = 1");
        }

        string identity;
        await using (var again = await EmbeddedChangeLog.OpenAsync(_directory.Root))
        {
            (await again.ReadAllAsync()).ShouldBe(["0"]);
            identity = again.Identity;
            identity.Length.ShouldBe(32);
        }

        await using var last = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        last.Identity.ShouldBe(identity);
        using var other = new DataDirectory();
        await using var fresh = await EmbeddedChangeLog.OpenAsync(other.Root);
        fresh.Identity.ShouldNotBe(identity);
    }

    [Fact]
    public async Task A_state_store_of_the_first_format_is_counted_and_keeps_its_rows()
    {
        await using (var store = await EmbeddedStateStore.OpenAsync(_directory.Root))
        {
            await store.CommitAsync(
                new PutLink(StateFacts.Link(1, "a1", "b1")), new PutLink(StateFacts.Link(2, "a2", "b2")),
                new PutLink(StateFacts.Link(3, "a3", "b3", state: LinkState.Deleted)),
                new PutConflict(StateFacts.Conflict("a1", "name", null)),
                new PutConflict(StateFacts.Conflict("a1", "plan", Side.A)),
                new PutDeadLetter(new DeadLetter(0, StateFacts.Leg, RecordKey.Of("1"), "{}"u8.ToArray(), 7, 1, 1,
                    new SyncError(ErrorCode.MappingFailed, "refused"))));
        }

        using (var database = Database.OpenWriter(_directory.File("state.db"), 4096, 1 << 20, 0))
        {
            var triggers = database.Prepared("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                .All(static row => row.Text(0));
            triggers.ShouldNotBeEmpty();
            triggers.ForEach(name => database.Execute($"DROP TRIGGER {name}"));
            database.Execute(BackToTheFirstFormat);
        }

        await using var again = await EmbeddedStateStore.OpenAsync(_directory.Root);
        (await again.CountLinksAsync(StateFacts.Sync, LinkState.Live, default)).ShouldBe(2);
        (await again.CountLinksAsync(StateFacts.Sync, LinkState.Deleted, default)).ShouldBe(1);
        (await again.CountConflictsAsync(StateFacts.Sync, default)).ShouldBe(1);
        (await again.FindDeadLettersAsync(StateFacts.Leg, "users", [RecordKey.Of("1")], default))[0].ShouldNotBeNull()
            .Offset.ShouldBe(7, "nobody knows any more which table it is of");
        await again.CommitAsync(new RemoveDeadLetter(StateFacts.Leg, RecordKey.Of("1"), "orders"));
        (await again.CountDeadLettersAsync(StateFacts.Leg, default)).ShouldBe(0);
        await again.CommitAsync(
            new PutVersion(StateFacts.Leg, "users", RecordKey.Of("1"), "1"),
            new RemoveLink(2), new PutConflict(StateFacts.Conflict("a2", "name", null) with { Base = "1" }));
        (await again.CountLinksAsync(StateFacts.Sync, LinkState.Live, default)).ShouldBe(1);
        (await again.ListConflictsAsync(StateFacts.Sync, true, 0, 10, default)).Select(static c => c.Base)
            .ShouldBe(["1", null]);
        (await again.FindVersionsAsync(StateFacts.Leg, "users", [RecordKey.Of("1")], default)).ShouldBe(["1"]);
    }
}
