using Duplex.Conformance;
using Duplex.Engine.State;
using Shouldly;
using Xunit;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>
/// What was acknowledged before the power went is on the disk afterwards. What the child still hears while the file system is
/// shut down does not count: a machine without power hears nothing.
/// </summary>
public sealed class PowerCutTests
{
    [SkippableFact]
    public async Task A_power_cut_loses_nothing_that_the_log_acknowledged()
    {
        using var disk = LoopDisk.Make();
        using var child = Child.Start("log", disk.Data);
        await child.ListenAsync(400);
        var acknowledged = child.Acknowledged.ToDictionary();
        disk.CutPower();
        await child.KillAsync();
        disk.Remount();

        await using var log = await EmbeddedChangeLog.OpenAsync(disk.Data);
        for (var writer = 0; writer < ChildProgram.Writers; writer++)
        {
            var position = await log.ReadPositionAsync($"source{writer}", default);
            ((long)(position?.Major ?? 0)).ShouldBeGreaterThanOrEqualTo(acknowledged.GetValueOrDefault(writer));
        }

        var entries = 0;
        for (var partition = 0; partition < ChildProgram.Partitions; partition++)
        {
            entries += (await log.ReadAllAsync(partition)).Count;
        }

        ((long)entries).ShouldBeGreaterThanOrEqualTo(3 * acknowledged.Values.Sum());
        (entries % 3).ShouldBe(0, "batches are whole");
    }

    [SkippableFact]
    public async Task A_power_cut_loses_nothing_that_the_state_store_acknowledged()
    {
        using var disk = LoopDisk.Make();
        using var child = Child.Start("state", disk.Data);
        await child.ListenAsync(400);
        var acknowledged = child.Acknowledged.ToDictionary();
        disk.CutPower();
        await child.KillAsync();
        disk.Remount();

        await using var store = await EmbeddedStateStore.OpenAsync(disk.Data);
        for (var writer = 0; writer < ChildProgram.Writers; writer++)
        {
            var leg = new LegId($"acme/{writer}", Side.A);
            var positions = await store.ReadPositionsAsync(leg, default);
            var stored = positions.Count == 0 ? 0 : positions[0].Offset;
            stored.ShouldBeGreaterThanOrEqualTo(acknowledged.GetValueOrDefault(writer));
            (await store.CountLinksAsync(leg.Sync, LinkState.Live, default)).ShouldBe(stored);
        }
    }

    [SkippableFact]
    public void The_power_cut_takes_what_was_not_synced()
    {
        using var disk = LoopDisk.Make();
        Directory.CreateDirectory(disk.Data);
        File.WriteAllText(Path.Combine(disk.Data, "unsynced"), "x");
        disk.CutPower();
        disk.Remount();
        File.Exists(Path.Combine(disk.Data, "unsynced"))
            .ShouldBeFalse("otherwise the other tests of this class prove nothing");
    }
}
