using Xunit.Abstractions;

namespace Duplex.EndToEnd.Tests;

/// <summary>Posts by many clients while the server is killed again and again (<see cref="PostLoad"/>).</summary>
public sealed class PostKillTests(ITestOutputHelper output)
{
    [Fact]
    public async Task What_was_answered_is_in_every_feed_once_and_in_order()
    {
        await using var load = new PostLoad(log: "");
        await load.RunAsync(PostLoad.Kills, _ => load.KillServerAsync());
        await load.CheckAsync();
        load.Repeated.ShouldBeGreaterThan(0, "no post met a kill");
        load.Server.Kills.ShouldBe(PostLoad.Kills);
        output.WriteLine($"{PostLoad.Records} records, {PostLoad.Kills} kills, {load.Repeated} posts repeated");
    }
}
