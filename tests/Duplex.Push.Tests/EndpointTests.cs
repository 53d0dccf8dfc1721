using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Engine.Outbound;
using Duplex.Engine.Push;
using Duplex.Push.Tests.Outbound;
using Duplex.Sdk;

namespace Duplex.Push.Tests;

public sealed class EndpointTests
{
    [Fact]
    public async Task A_record_is_tried_by_the_schedule_and_then_given_up_so_that_the_next_of_its_key_goes()
    {
        var clock = new SteppedClock();
        var attempts = new ConcurrentQueue<DateTimeOffset>();
        await using var receiver = await Receiver.StartAsync(a =>
        {
            if (a.Offset == 1)
            {
                attempts.Enqueue(clock.GetUtcNow());
                a.Seconds.ShouldBe(clock.GetUtcNow().ToUnixTimeSeconds());
                return 500;
            }

            return 200;
        });
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync("a", "a");
        bed.Start(PushBed.ModelOf(receiver.Url) with { DisableAfter = TimeSpan.FromDays(30) });
        var start = clock.GetUtcNow();
        TimeSpan[] expected =
        [
            TimeSpan.Zero, TimeSpan.Parse("00:00:05", CultureInfo.InvariantCulture), new(0, 5, 5), new(0, 35, 5),
            new(2, 35, 5), new(7, 35, 5), new(17, 35, 5), new(31, 35, 5), new(51, 35, 5), new(75, 35, 5),
        ];
        for (var n = 1; n <= expected.Length; n++)
        {
            await Eventually.BecomesAsync(() => bed.Status.FailedAttempts == n && bed.Status.InFlight == 0);
            if (n < expected.Length)
            {
                await StepToAsync(clock, bed.Status.NextAttemptAt!.Value);
            }
        }

        await StepToAsync(clock, bed.Status.NextAttemptAt!.Value);
        await bed.DeliveredAsync(1);
        attempts.Select(t => t - start).Zip(expected).ShouldAllBe(
            static p => p.First >= p.Second && p.First < p.Second + TimeSpan.FromSeconds(1));
        var record = await bed.RecordAsync(1);
        record.Status.ShouldBe(FeedStatus.Failed);
        record.Attempts.ShouldBe(10);
        record.Error.ShouldBe("The endpoint answered 500.");
        bed.Status.LastGivenUp.Single().ShouldBe(new PushFailure(1, 10, "The endpoint answered 500."));
        receiver.Taken.Select(static a => a.Offset).ShouldBe([2]);
        (await bed.PositionAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_restart_keeps_to_the_schedule()
    {
        var clock = new SteppedClock();
        await using var receiver = await Receiver.StartAsync(static _ => 500);
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync("a");
        bed.Start(PushBed.ModelOf(receiver.Url) with { Jitter = 0.5 });
        await Eventually.BecomesAsync(() => bed.Status is { FailedAttempts: 1, InFlight: 0 });
        var due = bed.Status.NextAttemptAt!.Value;
        await StepToAsync(clock, due);
        await Eventually.BecomesAsync(() => bed.Status is { FailedAttempts: 2, InFlight: 0 });
        due = bed.Status.NextAttemptAt!.Value;
        (due - clock.GetUtcNow()).ShouldBeInRange(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(7.5));
        await bed.StopAsync();
        bed.Start(PushBed.ModelOf(receiver.Url) with { Jitter = 0.5 });
        await Eventually.BecomesAsync(() => bed.Status.NextAttemptAt is not null);
        bed.Status.NextAttemptAt.ShouldBe(due);
        receiver.Arrivals.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Lasting_failure_disables_the_endpoint_and_enabling_it_sends_everything_in_order()
    {
        var clock = new SteppedClock();
        var broken = true;
        await using var receiver = await Receiver.StartAsync(_ => Volatile.Read(ref broken) ? 500 : 200);
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync("a", "a", "b");
        var model = PushBed.ModelOf(receiver.Url) with { DisableAfter = TimeSpan.FromHours(1) };
        bed.Start(model);
        for (var failed = 0L; bed.Status.State != PushState.Disabled; failed = bed.Status.FailedAttempts)
        {
            if (bed.Status is { NextAttemptAt: { } next } && failed > 0)
            {
                await StepToAsync(clock, next);
            }

            var before = failed;
            await Eventually.BecomesAsync(() => bed.Status.State == PushState.Disabled
                || (bed.Status.FailedAttempts > before && bed.Status.InFlight == 0));
        }

        bed.Status.Error.ShouldNotBeNull().Message.ShouldContain("Nothing was taken since 2026-01-01T00:00:00");
        var record = await bed.RecordAsync(1);
        record.Status.ShouldBe(FeedStatus.Pending);
        bed.Status.GivenUp.ShouldBe(0);
        await Eventually.BecomesAsync(() => bed.Status.InFlight == 0);
        var tried = receiver.Arrivals.Count;

        await bed.StopAsync();
        bed.Start(model);
        await Eventually.BecomesAsync(() => bed.Status.State == PushState.Disabled);
        await bed.AppendAsync("c");
        Volatile.Write(ref broken, false);
        await bed.Pusher.EnableAsync(CancellationToken.None);
        await bed.DeliveredAsync(4);
        bed.Status.State.ShouldBe(PushState.Running);
        receiver.Arrivals.Count.ShouldBe(tried + 4);
        receiver.Taken.Where(static a => a.Key == "a").Select(static a => a.Offset).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task An_endpoint_that_is_gone_is_disabled_at_once_and_stays_so_until_it_is_enabled()
    {
        var gone = true;
        await using var receiver = await Receiver.StartAsync(_ => Volatile.Read(ref gone) ? 410 : 200);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a");
        var model = PushBed.ModelOf(receiver.Url);
        bed.Start(model);
        await Eventually.BecomesAsync(() => bed.Status.State == PushState.Disabled);
        bed.Status.Error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkGone);
        await bed.AppendAsync("b", "c");
        await bed.StopAsync();
        bed.Start(model);
        await Eventually.BecomesAsync(() => bed.Status.State == PushState.Disabled);
        receiver.Arrivals.Count.ShouldBe(1);
        Volatile.Write(ref gone, false);
        await bed.Pusher.EnableAsync(CancellationToken.None);
        await bed.DeliveredAsync(3);
        receiver.Taken.Select(static a => a.Offset).Order().ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task A_person_disables_and_enables()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        bed.Start(PushBed.ModelOf(receiver.Url));
        await bed.Pusher.DisableAsync("Maintenance until noon.", CancellationToken.None);
        bed.Status.State.ShouldBe(PushState.Disabled);
        bed.Status.Error.ShouldNotBeNull().Message.ShouldBe("Maintenance until noon.");
        await bed.AppendAsync("a");
        await bed.Pusher.EnableAsync(CancellationToken.None);
        await bed.DeliveredAsync(1);
    }

    [Theory]
    [InlineData(429, "120", 120)]
    [InlineData(503, "120", 120)]
    [InlineData(429, "Thu, 01 Jan 2026 00:10:00 GMT", 600)]
    [InlineData(429, "99999999", 86_400)]
    public async Task A_wish_to_wait_holds_the_whole_endpoint_and_costs_no_attempt(int status, string wish, int seconds)
    {
        var clock = new SteppedClock();
        var busy = true;
        await using var receiver = await Receiver.StartAsync((_, context) =>
        {
            context.Response.StatusCode = Volatile.Read(ref busy) ? status : 200;
            context.Response.Headers.RetryAfter = wish;
            return Task.CompletedTask;
        });
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync("a");
        var model = PushBed.ModelOf(receiver.Url) with { DisableAfter = TimeSpan.FromDays(30) };
        bed.Start(model);
        await Eventually.BecomesAsync(() => bed.Status is { State: PushState.Held, InFlight: 0 });
        var until = clock.GetUtcNow() + TimeSpan.FromSeconds(seconds);
        bed.Status.HeldUntil.ShouldBe(until);
        bed.Status.Throttled.ShouldBe(1);
        bed.Status.FailedAttempts.ShouldBe(0);
        await bed.AppendAsync("b", "c");
        (await bed.RecordAsync(1)).Attempts.ShouldBe(0);
        await bed.StopAsync();
        bed.Start(model);
        await Eventually.BecomesAsync(() => bed.Status is { State: PushState.Held, ReadTo: 3 });
        Volatile.Write(ref busy, false);
        await StepToAsync(clock, until - TimeSpan.FromSeconds(1));
        receiver.Arrivals.Count.ShouldBe(1);
        await StepToAsync(clock, until);
        await bed.DeliveredAsync(3);
        (await bed.RecordAsync(1)).Attempts.ShouldBe(1);
    }

    [Fact]
    public async Task A_429_without_a_time_waits_longer_each_time()
    {
        var clock = new SteppedClock();
        await using var receiver = await Receiver.StartAsync(static _ => 429);
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync("a");
        bed.Start(PushBed.ModelOf(receiver.Url));
        var waits = new List<double>();
        for (var n = 1; n <= 7; n++)
        {
            await Eventually.BecomesAsync(() => bed.Status.Throttled == n && bed.Status.InFlight == 0);
            waits.Add((bed.Status.HeldUntil!.Value - clock.GetUtcNow()).TotalSeconds);
            await StepToAsync(clock, bed.Status.HeldUntil!.Value);
        }

        waits[0].ShouldBeInRange(2.5, 5);
        waits[6].ShouldBeInRange(150, 300);
        (await bed.RecordAsync(1)).Attempts.ShouldBe(0);
    }

    [Fact]
    public async Task Requests_under_way_together_that_are_told_to_wait_count_as_one()
    {
        var clock = new SteppedClock();
        var together = new Gathering(8);
        await using var receiver = await Receiver.StartAsync(async (_, context) =>
        {
            await together.JoinAsync();
            context.Response.StatusCode = 429;
        });
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync(Enumerable.Range(0, 8).Select(static n => $"k{n}"));
        bed.Start(PushBed.ModelOf(receiver.Url) with { Parallelism = 8 });
        await Eventually.BecomesAsync(() => bed.Status is { Throttled: 8, InFlight: 0 });
        (bed.Status.HeldUntil!.Value - clock.GetUtcNow()).ShouldBeInRange(TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_failure_that_names_a_time_lets_its_record_wait_as_long_and_no_other()
    {
        var clock = new SteppedClock();
        await using var receiver = await Receiver.StartAsync(static (arrival, context) =>
        {
            context.Response.StatusCode = arrival.Key == "bad" ? 500 : 200;
            context.Response.Headers.RetryAfter = "900";
            return Task.CompletedTask;
        });
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync("bad", "good");
        bed.Start(PushBed.ModelOf(receiver.Url));
        await Eventually.BecomesAsync(() => bed.Status is { FailedAttempts: 1, Delivered: 1, InFlight: 0 });
        bed.Status.NextAttemptAt.ShouldBe(clock.GetUtcNow() + TimeSpan.FromMinutes(15));
    }

    [Theory]
    [InlineData(503)]
    [InlineData(500)]
    [InlineData(404)]
    [InlineData(302)]
    [InlineData(199 + 105)]
    [InlineData(502)]
    public async Task Any_other_answer_is_a_failed_attempt(int status)
    {
        var first = 1;
        await using var receiver = await Receiver.StartAsync((_, context) =>
        {
            context.Response.StatusCode = Interlocked.Exchange(ref first, 0) == 1 ? status : 202;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a");
        bed.Start(PushBed.ModelOf(receiver.Url) with { Retry = [TimeSpan.FromMilliseconds(1)] });
        await bed.DeliveredAsync(1);
        bed.Status.FailedAttempts.ShouldBe(1);
        receiver.Arrivals.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_endpoint_that_is_too_slow_has_failed()
    {
        var clock = new SteppedClock();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var receiver = await Receiver.StartAsync(async (_, context) =>
        {
            asked.TrySetResult();
            await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
        });
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync("a");
        bed.Start(PushBed.ModelOf(receiver.Url));
        await asked.Task;
        clock.Advance(TimeSpan.FromSeconds(19));
        bed.Status.FailedAttempts.ShouldBe(0);
        clock.Advance(TimeSpan.FromSeconds(2));
        await Eventually.BecomesAsync(() => bed.Status.FailedAttempts == 1);
        (await bed.RecordAsync(1)).Error.ShouldBe("No answer within 20 s.");
    }

    [Fact]
    public async Task A_connection_that_is_reset_or_refused_has_failed_and_the_record_is_sent_again()
    {
        await using var receiver = await Receiver.StartAsync(static (_, context) =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a");
        bed.Start(PushBed.ModelOf(receiver.Url));
        await Eventually.BecomesAsync(() => bed.Status is { FailedAttempts: 1, InFlight: 0 });
        await bed.StopAsync();
        (await bed.RecordAsync(1)).Error.ShouldNotBeNull().ShouldStartWith("The ");
        await receiver.DisposeAsync();

        // Held, so that nobody else comes to listen there, and not listened on.
        using var refusing = new Socket(SocketType.Stream, ProtocolType.Tcp);
        refusing.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var url = new Uri($"http://{refusing.LocalEndPoint}/hook");
        bed.Start(PushBed.ModelOf(url) with { Retry = [TimeSpan.Zero, TimeSpan.FromHours(1)] });
        await Eventually.BecomesAsync(() => bed.Status.FailedAttempts == 1);
        (await bed.RecordAsync(1)).Error.ShouldBe("The connection failed: ConnectionRefused.");
        (await bed.RecordAsync(1)).Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task An_endpoint_without_proper_tls_has_failed_and_is_sent_nothing()
    {
        await using var server = new RawServer();
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a");
        bed.Start(PushBed.ModelOf(new Uri($"https://127.0.0.1:{server.Port}/hook")));
        await Eventually.BecomesAsync(() => bed.Status is { FailedAttempts: 1, InFlight: 0 });
        (await bed.RecordAsync(1)).Error.ShouldNotBeNull().ShouldContain("TLS", Case.Insensitive);
    }

    [Fact]
    public async Task An_endpoint_that_moves_inside_is_refused()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a");
        var url = new Uri($"http://hook.test:{receiver.Url.Port}/hook");
        bed.Start(PushBed.ModelOf(url) with { Allowed = [] }, handler: m => new AddressGuard(
            new AddressPolicy { Allowed = m.Allowed }, TimeProvider.System,
            static (_, _) => Task.FromResult(new[] { System.Net.IPAddress.Loopback })).CreateHandler());
        await Eventually.BecomesAsync(() => bed.Status is { FailedAttempts: 1, InFlight: 0 });
        receiver.Arrivals.ShouldBeEmpty();
        (await bed.RecordAsync(1)).Error.ShouldNotBeNull().ShouldContain("not on the public internet (loopback)");
    }

    [Fact]
    public async Task An_outage_neither_burns_every_record_nor_storms_the_endpoint()
    {
        var clock = new SteppedClock();
        var down = true;
        await using var receiver = await Receiver.StartAsync(_ => Volatile.Read(ref down) ? 500 : 200);
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync(Enumerable.Range(0, 1000).Select(static n => $"k{n}"));
        bed.Start(PushBed.ModelOf(receiver.Url) with { Parallelism = 4 });
        for (var n = 0; n < 40; n++)
        {
            await Eventually.BecomesAsync(() => clock.NextDue is not null && bed.Status.InFlight == 0 && bed.Status.FailedAttempts >= 10
                || bed.Status.FailedAttempts >= 60);
            clock.Advance(TimeSpan.FromSeconds(30));
        }

        receiver.Arrivals.Count.ShouldBeLessThan(60);
        Volatile.Write(ref down, false);
        var handled = false;
        await Eventually.BecomesAsync(() =>
        {
            handled = bed.Status.Delivered == 1000;
            if (!handled && bed.Status.InFlight == 0)
            {
                clock.Advance(TimeSpan.FromSeconds(10));
            }

            return handled;
        });
        (await bed.RecordsAsync()).ShouldAllBe(static r => r.Status == FeedStatus.Delivered);
    }

    [Fact]
    public async Task Requests_keep_to_the_rate()
    {
        var clock = new SteppedClock();
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync(clock);
        await bed.AppendAsync(Enumerable.Range(0, 10).Select(static n => $"k{n}"));
        bed.Start(PushBed.ModelOf(receiver.Url) with { RatePerSecond = 2 });
        await bed.Pusher.ResendAsync(10, CancellationToken.None);
        for (var n = 1; n <= 10; n++)
        {
            await Eventually.BecomesAsync(() => bed.Status.Delivered >= n && bed.Status.InFlight == 10 - n);
            receiver.Arrivals.Count.ShouldBe(n);
            clock.Advance(TimeSpan.FromMilliseconds(500));
        }
    }

    [Fact]
    public async Task A_record_is_sent_again_by_hand_under_its_id_also_after_a_restart()
    {
        var broken = false;
        await using var receiver = await Receiver.StartAsync(_ => Volatile.Read(ref broken) ? 500 : 200);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a", "b");
        var model = PushBed.ModelOf(receiver.Url) with { Retry = [TimeSpan.FromMilliseconds(1)] };
        bed.Start(model);
        await bed.DeliveredAsync(2);
        await bed.Pusher.ResendAsync(1, CancellationToken.None);
        await bed.DeliveredAsync(3);
        receiver.Taken.Where(static a => a.Offset == 1).Select(static a => a.Id).Distinct().Count().ShouldBe(1);
        receiver.Taken.Count.ShouldBe(3);
        (await bed.RecordAsync(1)).Attempts.ShouldBe(2);

        await bed.Pusher.DisableAsync("Not now.", CancellationToken.None);
        await bed.Pusher.ResendAsync(2, CancellationToken.None);
        await bed.StopAsync();
        bed.Start(model);
        await bed.Pusher.EnableAsync(CancellationToken.None);
        await bed.DeliveredAsync(1);
        receiver.Taken.Select(static a => a.Offset).Last().ShouldBe(2);
        await bed.StopAsync();
        bed.Start(model);
        await bed.AppendAsync("c");
        await bed.DeliveredAsync(1);
        receiver.Taken.Count.ShouldBe(5);
        (await Should.ThrowAsync<SyncException>(() => bed.Pusher.ResendAsync(99, CancellationToken.None)))
            .Error.Code.ShouldBe(ErrorCode.SourceGap);
    }

    [Fact]
    public async Task A_record_that_was_given_up_is_delivered_when_it_is_sent_again()
    {
        var broken = true;
        await using var receiver = await Receiver.StartAsync(a => a.Key == "bad" && Volatile.Read(ref broken) ? 400 : 200);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("bad", "a");
        bed.Start(PushBed.ModelOf(receiver.Url) with { Retry = [TimeSpan.FromMilliseconds(1)] });
        await Eventually.BecomesAsync(() => bed.Status is { GivenUp: 1, Delivered: 1, InFlight: 0 });
        (await bed.RecordAsync(1)).Status.ShouldBe(FeedStatus.Failed);
        Volatile.Write(ref broken, false);
        await bed.Pusher.ResendAsync(1, CancellationToken.None);
        await bed.DeliveredAsync(2);
        var record = await bed.RecordAsync(1);
        record.Status.ShouldBe(FeedStatus.Delivered);
        record.Attempts.ShouldBe(3);
        record.Error.ShouldBeNull();
    }

    [Fact]
    public async Task A_second_pusher_of_the_feed_fences_the_first()
    {
        await using var receiver = await Receiver.StartAsync(static _ => 410);
        await using var bed = await PushBed.OpenAsync();
        bed.Start(PushBed.ModelOf(receiver.Url));
        await Eventually.BecomesAsync(() => bed.Status.State == PushState.Running);
        await bed.TakeOverAsync();
        await bed.AppendAsync("a");
        (await bed.EndAsync()).ShouldBeOfType<SyncException>().Error.Code.ShouldBe(ErrorCode.StorageFenced);
    }

    /// <summary>Moves the clock to an instant, timer by timer, while nothing but the pusher's own waiting is timed.</summary>
    private static async Task StepToAsync(SteppedClock clock, DateTimeOffset instant)
    {
        var target = instant + TimeSpan.FromMilliseconds(1);
        while (clock.GetUtcNow() < target)
        {
            DateTimeOffset due = default;
            await Eventually.BecomesAsync(() => clock.NextDue is { } next && (due = next) != default);
            clock.Advance((due < target ? due : target) - clock.GetUtcNow());
        }
    }
}
