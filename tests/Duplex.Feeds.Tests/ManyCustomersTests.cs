using System.Globalization;
using Duplex.Engine.Config;
using Duplex.Sdk;

namespace Duplex.Feeds.Tests;

/// <summary>Many customers share the room of one process.</summary>
public sealed class ManyCustomersTests
{
    private const int Many = 300;
    private const string Users = "rules: [ { a: id, b: id }, { a: name, b: fullName } ]";

    [Fact]
    public async Task Feeds_that_are_refused_take_no_room_from_the_others()
    {
        await using var bed = Bed();
        bed.Customer("good", FeedStart.Latest, null, ("users", Users));
        bed.Door.Refuse(static feed => feed != "good");
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "Ada"));
        await UntilAsync(() => bed.Door.Refused >= Many);
        for (var i = 2; i <= 20; i++)
        {
            await bed.PostAsync("users", (i, "Bob"));
            await bed.UntilAsync("good", i);
        }

        (await bed.ReadAsync("good")).Count.ShouldBe(20);
        (await bed.StatusAsync("c7")).Error!.Code.ShouldBe(ErrorCode.SinkUnavailable);
        (await bed.StatusAsync("good")).Error.ShouldBeNull();
        bed.Door.Refuse(static _ => false);
        foreach (var name in Names())
        {
            await bed.UntilAsync(name, 20);
            (await bed.ReadAsync(name)).Count.ShouldBe(20, name);
        }
    }

    [Fact]
    public async Task However_many_customers_there_are_only_so_many_pages_are_under_way()
    {
        await using var bed = Bed();
        bed.Door.Close();
        await bed.StartAsync();
        await bed.PostAsync("users", (1, "Ada"));
        await UntilAsync(() => bed.Door.Waiting >= 128);
        // Whoever could still come in would do so while another post wakes all who wait at the end.
        await bed.PostAsync("users", (2, "Bob"));
        await Should.ThrowAsync<OperationCanceledException>(() => bed.UntilAsync("c0", 1, TimeSpan.FromMilliseconds(300)));
        bed.Door.Waiting.ShouldBeLessThan(Many / 2);
        bed.Door.Open();
        foreach (var name in Names())
        {
            await bed.UntilAsync(name, 2);
            (await bed.ReadAsync(name)).ShouldBe(
                ["""1 users {"id":1,"fullName":"Ada"}""", """2 users {"id":2,"fullName":"Bob"}"""], name);
        }
    }

    private static FeedBed Bed()
    {
        var bed = new FeedBed();
        foreach (var name in Names())
        {
            bed.Customer(name, FeedStart.Latest, null, ("users", Users));
        }

        return bed;
    }

    private static IEnumerable<string> Names() =>
        Enumerable.Range(0, Many).Select(static i => string.Create(CultureInfo.InvariantCulture, $"c{i}"));

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            await tick.WaitForNextTickAsync(deadline.Token);
        }
    }
}
