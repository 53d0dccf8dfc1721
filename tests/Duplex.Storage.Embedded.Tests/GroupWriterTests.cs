using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>Callers share a commit and nothing else.</summary>
public sealed class GroupWriterTests : IDisposable
{
    private readonly DataDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_request_that_the_database_refuses_fails_alone()
    {
        using var held = new ManualResetEventSlim();
        var database = Database.OpenWriter(_directory.File("x.db"), 4096, 1 << 20, 0);
        database.Execute("CREATE TABLE t (n INTEGER NOT NULL)");
        await using var writer =
            new GroupWriter(database, new NoObserver(), NullLogger.Instance, TimeSpan.FromSeconds(1));
        writer.Start();
        var first = writer.RunAsync(new ActionRequest<bool>(() => held.Wait(TimeSpan.FromMinutes(2))));
        var requests = Enumerable.Range(0, 20).Select(n => writer.RunAsync(new ActionRequest<bool>(() =>
        {
            database.Prepared("INSERT INTO t (n) VALUES (?1)").Bind(1, n == 7 ? null : $"{n}").Run();
            return n == 13 ? throw new InvalidOperationException("a bug") : true;
        }))).ToArray();
        held.Set();
        (await first).ShouldBeTrue();
        for (var n = 0; n < 20; n++)
        {
            if (n is 7 or 13)
            {
                var failed = await Should.ThrowAsync<SyncException>(requests[n]);
                failed.Error.Code.ShouldBe(n == 7 ? ErrorCode.StorageFailed : ErrorCode.Internal);
            }
            else
            {
                (await requests[n]).ShouldBeTrue();
            }
        }

        var stored = await writer.RunAsync(new ActionRequest<long>(
            () => database.Prepared("SELECT count(*) FROM t").Scalar()!.Value));
        stored.ShouldBe(18);
        writer.Obstacle.ShouldBeNull();
    }

    [Fact]
    public async Task Requests_that_wait_together_are_committed_together()
    {
        using var held = new ManualResetEventSlim();
        var observer = new NoObserver();
        var database = Database.OpenWriter(_directory.File("x.db"), 4096, 1 << 20, 0);
        database.Execute("CREATE TABLE t (n INTEGER)");
        await using var writer = new GroupWriter(database, observer, NullLogger.Instance, TimeSpan.FromSeconds(1));
        writer.Start();
        var first = writer.RunAsync(new ActionRequest<bool>(() => held.Wait(TimeSpan.FromMinutes(2))));
        var requests = Enumerable.Range(0, 500).Select(n => writer.RunAsync(new ActionRequest<bool>(() =>
        {
            database.Prepared("INSERT INTO t (n) VALUES (?1)").Bind(1, n).Run();
            return true;
        }))).ToArray();
        held.Set();
        await Task.WhenAll([first, .. requests]);
        observer.Commits.ShouldBeInRange(1, 3);
    }

    [Fact]
    public async Task What_waits_when_the_writer_is_closed_is_still_written()
    {
        var database = Database.OpenWriter(_directory.File("x.db"), 4096, 1 << 20, 0);
        database.Execute("CREATE TABLE t (n INTEGER)");
        var writer = new GroupWriter(database, new NoObserver(), NullLogger.Instance, TimeSpan.FromSeconds(1));
        var requests = Enumerable.Range(0, 50).Select(n => writer.RunAsync(new ActionRequest<bool>(() =>
        {
            database.Prepared("INSERT INTO t (n) VALUES (?1)").Bind(1, n).Run();
            return true;
        }))).ToArray();
        writer.Start();
        await writer.DisposeAsync();
        (await Task.WhenAll(requests)).ShouldAllBe(static done => done);
        using var again = Database.OpenReader(_directory.File("x.db"));
        again.Query("SELECT count(*) FROM t").ShouldBe("50");
    }

    private sealed class NoObserver : IGroupObserver
    {
        public int Commits { get; private set; }

        public void Committing()
        {
        }

        public void Committed() => Commits++;

        public void RolledBack()
        {
        }
    }
}
