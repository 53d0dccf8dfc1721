using System.Text;
using Duplex.Conformance;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Log;
using Duplex.Storage.Embedded.Sqlite;
using Shouldly;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>Damage is found and told, never skipped; what is sound goes on.</summary>
public sealed class DamageTests : IDisposable
{
    private readonly DataDirectory _directory = new();

    private string File => _directory.File("log.db");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_flipped_bit_on_the_disk_halts_its_partition_and_no_other()
    {
        var damagedPartition = -1;
        await using (var log = await EmbeddedChangeLog.OpenAsync(_directory.Root))
        {
            await log.EnsureAsync(partitions: 4);
            for (var n = 0; n < 10; n++)
            {
                await log.AppendAsync(
                    LogFacts.Batch(null, [.. Enumerable.Range(0, 40).Select(k => $"round {n} key {k} end")]));
            }
        }

        FlipBit("round 5 key 7 end");
        await using var damaged = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        var sound = 0;
        for (var partition = 0; partition < 4; partition++)
        {
            var values = new List<string>();
            var error = await ReadUntilErrorAsync(damaged, partition, values);
            if (error is null)
            {
                values.Count.ShouldBeGreaterThanOrEqualTo(10);
                sound++;
                continue;
            }

            damagedPartition = partition;
            error.Code.ShouldBe(ErrorCode.StorageUnreadable);
            error.Message.ShouldContain($"partition {partition} of topic {LogFacts.Topic}");
            error.Suggestion.ShouldNotBeNull();
            values.ShouldContain("round 4 key 7 end", "what lies before the damage is handed out");
            values.ShouldNotContain(static v => v.StartsWith("round 5", StringComparison.Ordinal));
        }

        sound.ShouldBe(3);
        damagedPartition.ShouldBeGreaterThanOrEqualTo(0);
        (await damaged.AppendAsync(LogFacts.Batch(null, "more"))).Appended.ShouldBe(1);
    }

    [Theory]
    [InlineData("DELETE FROM block WHERE id & 0xFFFFFFF = 4")]
    [InlineData("UPDATE block SET id = id + 1000 WHERE id & 0xFFFFFFF = 9")]
    [InlineData("UPDATE block SET count = count + 1 WHERE id & 0xFFFFFFF = 4")]
    [InlineData("UPDATE block SET at_us = 0 WHERE id & 0xFFFFFFF = 4")]
    [InlineData("UPDATE block SET data = substr(data, 1, length(data) - 1) WHERE id & 0xFFFFFFF = 4")]
    [InlineData("UPDATE block SET data = zeroblob(length(data)) WHERE id & 0xFFFFFFF = 4")]
    [InlineData("DELETE FROM block")]
    public async Task A_missing_moved_cut_or_altered_block_is_an_error_and_never_a_gap(string damage)
    {
        await using (var log = await EmbeddedChangeLog.OpenAsync(_directory.Root))
        {
            await log.EnsureAsync();
            for (var n = 0; n < 10; n++)
            {
                await log.AppendAsync(LogFacts.Batch(null, $"{n}"));
            }
        }

        using (var database = Database.OpenWriter(File, 8192, 1 << 20, 0))
        {
            database.Execute(damage);
            database.Changes.ShouldBeGreaterThan(0, "the damage must have happened");
        }

        await using var damaged = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        var values = new List<string>();
        var error = await ReadUntilErrorAsync(damaged, 0, values);
        error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.StorageUnreadable);
        values.ShouldBe(Enumerable.Range(0, values.Count).Select(static n => $"{n}"));
    }

    [Fact]
    public async Task A_torn_write_ahead_log_keeps_every_batch_before_the_tear_whole()
    {
        await using (var log = await EmbeddedChangeLog.OpenAsync(_directory.Root))
        {
            await log.EnsureAsync();
            for (var n = 0; n < 30; n++)
            {
                await log.AppendAsync(LogFacts.Batch(new Position(1, (ulong)n, 0), $"{n}:a", $"{n}:b", $"{n}:c"));
            }

            System.IO.File.Copy(File, _directory.File("copy.db"));
            System.IO.File.Copy(File + "-wal", _directory.File("copy.db-wal"));
        }

        var whole = new FileInfo(_directory.File("copy.db-wal")).Length;
        var lengths = new List<int>();
        foreach (var part in new[] { 0.2, 0.5, 0.9, 0.999, 1.0 })
        {
            var root = Directory.CreateDirectory(_directory.File($"torn{part}")).FullName;
            System.IO.File.Copy(_directory.File("copy.db"), Path.Combine(root, "log.db"));
            System.IO.File.Copy(_directory.File("copy.db-wal"), Path.Combine(root, "log.db-wal"));
            using (var wal = System.IO.File.OpenWrite(Path.Combine(root, "log.db-wal")))
            {
                wal.SetLength((long)(whole * part));
            }

            await using var torn = await EmbeddedChangeLog.OpenAsync(root);
            await torn.EnsureAsync();
            var values = await torn.ReadAllAsync();
            (values.Count % 3).ShouldBe(0, "batches are whole");
            values.ShouldBe(Enumerable.Range(0, values.Count).Select(static i => $"{i / 3}:{"abc"[i % 3]}"));
            var position = await torn.ReadPositionAsync("acme/shop", default);
            ((int?)position?.Major ?? -1)
                .ShouldBe((values.Count / 3) - 1, "the position belongs to the last whole batch");
            lengths.Add(values.Count);
        }

        lengths[^1].ShouldBe(90);
        lengths[0].ShouldBeLessThan(lengths[^1], "the tear must have cost something that was never synced");
    }

    [Fact]
    public async Task A_page_of_the_file_that_turns_to_zeros_is_told_or_does_no_harm()
    {
        var expected = new List<string>();
        await using (var log = await EmbeddedChangeLog.OpenAsync(_directory.Root))
        {
            await log.EnsureAsync();
            for (var n = 0; n < 200; n++)
            {
                expected.Add($"{n}{new string('x', 900)}");
                await log.AppendAsync(LogFacts.Batch(null, expected[^1]));
            }
        }

        const int pageBytes = 8192;
        var whole = await System.IO.File.ReadAllBytesAsync(File);
        var told = 0;
        for (var page = 1; page < whole.Length / pageBytes; page++)
        {
            var damaged = (byte[])whole.Clone();
            Array.Clear(damaged, page * pageBytes, pageBytes);
            await System.IO.File.WriteAllBytesAsync(File, damaged);
            var values = new List<string>();
            SyncError? error;
            try
            {
                await using var log = await EmbeddedChangeLog.OpenAsync(_directory.Root);
                await log.EnsureAsync();
                error = await ReadUntilErrorAsync(log, 0, values);
            }
            catch (SyncException e)
            {
                error = e.Error;
            }
            catch (Exception e) when (e is InvalidOperationException or ArgumentOutOfRangeException)
            {
                throw new InvalidDataException($"Page {page} of zeros surprised the log.", e);
            }

            values.ShouldBe(expected.Take(values.Count), $"page {page}");
            if (error is not null)
            {
                error.Code.ShouldBe(ErrorCode.StorageUnreadable, $"page {page}");
                told++;
            }
            else
            {
                values.Count.ShouldBe(expected.Count, $"page {page}");
            }
        }

        told.ShouldBeGreaterThan(20, "the entries fill more than twenty pages");
    }

    [Theory]
    [InlineData("log")]
    [InlineData("state")]
    public async Task A_file_that_is_no_database_is_refused_with_a_way_out(string store)
    {
        await System.IO.File.WriteAllTextAsync(_directory.File($"{store}.db"), new string('?', 100_000));
        var refused = await Should.ThrowAsync<SyncException>(() => OpenAsync(store));
        refused.Error.Code.ShouldBe(ErrorCode.StorageUnreadable);
        refused.Error.Suggestion.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("log")]
    [InlineData("state")]
    public async Task A_file_of_a_later_version_is_refused_and_left_alone(string store)
    {
        await OpenAsync(store);
        using (var database = Database.OpenWriter(_directory.File($"{store}.db"), 4096, 1 << 20, 0))
        {
            database.Execute("PRAGMA user_version = 99");
        }

        var refused = await Should.ThrowAsync<SyncException>(() => OpenAsync(store));
        refused.Error.Code.ShouldBe(ErrorCode.StorageUnreadable);
        refused.Error.Message.ShouldContain("99");
    }

    [Fact]
    public void The_check_value_is_crc_32c()
    {
        Crc32C.Append(0, "123456789"u8).ShouldBe(0xE3069283u);
        Crc32C.Append(Crc32C.Append(0, "1234"u8), "56789"u8).ShouldBe(0xE3069283u);
    }

    private async Task OpenAsync(string store)
    {
        if (store == "log")
        {
            await using var log = await EmbeddedChangeLog.OpenAsync(_directory.Root);
        }
        else
        {
            await using var state = await EmbeddedStateStore.OpenAsync(_directory.Root);
        }
    }

    private static async Task<SyncError?> ReadUntilErrorAsync(IChangeLog log, int partition, List<string> values)
    {
        try
        {
            while (true)
            {
                using var page = await log.ReadAsync(LogFacts.Topic, partition, values.Count, 7, 1 << 20, default);
                if (page.Count == 0)
                {
                    return null;
                }

                for (var index = 0; index < page.Count; index++)
                {
                    values.Add(Encoding.UTF8.GetString(page.Value(index).Span));
                }
            }
        }
        catch (SyncException e)
        {
            return e.Error;
        }
    }

    private void FlipBit(string text)
    {
        var bytes = System.IO.File.ReadAllBytes(File);
        var at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
        at.ShouldBeGreaterThan(0, "the text must be on the disk");
        bytes[at + 3] ^= 0x10;
        System.IO.File.WriteAllBytes(File, bytes);
    }
}
