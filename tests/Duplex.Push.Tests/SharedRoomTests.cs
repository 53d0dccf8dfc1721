using Duplex.Engine.Push;

namespace Duplex.Push.Tests;

/// <summary>Several pushers share the room for requests.</summary>
public sealed class SharedRoomTests
{
    private const int Room = 3;

    [Fact]
    public async Task An_endpoint_that_hangs_takes_the_shared_room_and_another_goes_on_one_by_one()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var hanging = await Receiver.StartAsync((_, _) => answer.Task);
        await using var other = await Receiver.StartAsync();
        await using var first = await PushBed.OpenAsync();
        await using var second = await PushBed.OpenAsync();
        var room = new PushRoom(Room);
        await first.AppendAsync(Enumerable.Range(0, 50).Select(static n => $"k{n}"));
        await second.AppendAsync(Enumerable.Range(0, 50).Select(static n => $"k{n}"));
        first.Start(Patient(hanging), room: room);
        await UntilAsync(() => hanging.Arrivals.Count == Room + 1);
        second.Start(Patient(other), room: room);
        await second.DeliveredAsync(50);
        other.UnderWayMost.ShouldBe(1);
        hanging.Arrivals.Count.ShouldBe(Room + 1);
        answer.SetResult();
        await first.DeliveredAsync(50);
        hanging.UnderWayMost.ShouldBe(Room + 1);
    }

    [Fact]
    public async Task Room_that_is_given_back_goes_to_whoever_waits_for_it()
    {
        var firstAnswer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var secondAnswer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var one = await Receiver.StartAsync((_, _) => firstAnswer.Task);
        await using var two = await Receiver.StartAsync((_, _) => secondAnswer.Task);
        await using var first = await PushBed.OpenAsync();
        await using var second = await PushBed.OpenAsync();
        var room = new PushRoom(Room);
        await first.AppendAsync(Enumerable.Range(0, Room + 1).Select(static n => $"k{n}"));
        await second.AppendAsync(Enumerable.Range(0, 10).Select(static n => $"k{n}"));
        first.Start(Patient(one), room: room);
        await UntilAsync(() => one.Arrivals.Count == Room + 1);
        second.Start(Patient(two), room: room);
        await UntilAsync(() => two.Arrivals.Count == 1);
        firstAnswer.SetResult();
        await UntilAsync(() => two.Arrivals.Count == Room + 1);
        secondAnswer.SetResult();
        await second.DeliveredAsync(10);
        two.UnderWayMost.ShouldBe(Room + 1);
    }

    [Fact]
    public async Task A_pusher_that_ends_gives_its_room_back()
    {
        await using var hanging = await Receiver.StartAsync(
            static (_, context) => new TaskCompletionSource().Task.WaitAsync(context.RequestAborted));
        await using var other = await Receiver.StartAsync();
        await using var first = await PushBed.OpenAsync();
        await using var second = await PushBed.OpenAsync();
        var room = new PushRoom(Room);
        await first.AppendAsync(Enumerable.Range(0, 50).Select(static n => $"k{n}"));
        first.Start(Patient(hanging), room: room);
        await UntilAsync(() => hanging.Arrivals.Count == Room + 1);
        (await first.StopAsync()).ShouldBeNull();
        var taken = Enumerable.Range(0, Room + 1).Select(_ => room.TryTake(new Engine.Waiting.Bell())).ToList();
        taken.ShouldBe([true, true, true, false]);
    }

    private static PushModel Patient(Receiver receiver) =>
        PushBed.ModelOf(receiver.Url) with { Parallelism = 16, Timeout = TimeSpan.FromMinutes(5) };

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            await tick.WaitForNextTickAsync(deadline.Token);
        }
    }
}
