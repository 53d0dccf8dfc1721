using System.Text.Json;
using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Engine.Push;
using Duplex.Sdk;

namespace Duplex.Push.Tests;

public sealed class DeliveryTests
{
    [Fact]
    public async Task Every_record_arrives_once_signed_and_is_recorded_as_delivered()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync(Enumerable.Range(0, 200).Select(static n => $"k{n}"));
        bed.Start(PushBed.ModelOf(receiver.Url));
        await bed.DeliveredAsync(200);
        receiver.Arrivals.Select(static a => a.Offset).Order().ShouldBe(Enumerable.Range(1, 200).Select(static n => (long)n));
        receiver.Arrivals.ShouldAllBe(static a => a.IsSignedWith(PushBed.Secret));
        receiver.Arrivals.Select(static a => a.Id).Distinct().Count().ShouldBe(200);
        (await bed.PositionAsync()).ShouldBe(200);
        (await bed.RecordsAsync()).ShouldAllBe(static r => r.Status == FeedStatus.Delivered && r.Attempts == 1 && r.Error == null);
    }

    [Fact]
    public async Task Records_that_come_later_are_pushed_as_they_come()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        bed.Start(PushBed.ModelOf(receiver.Url));
        for (var n = 1; n <= 5; n++)
        {
            await bed.AppendAsync($"k{n}");
            await bed.DeliveredAsync(n);
        }

        receiver.Arrivals.Select(static a => a.Offset).ShouldBe([1, 2, 3, 4, 5]);
    }

    [Theory]
    [InlineData(ChangeOperation.Create, "users.created", "INSERT")]
    [InlineData(ChangeOperation.Read, "users.created", "INSERT")]
    [InlineData(ChangeOperation.Update, "users.updated", "UPDATE")]
    [InlineData(ChangeOperation.Delete, "users.deleted", "DELETE")]
    public async Task The_body_says_what_happened_when_and_to_which_record(
        ChangeOperation operation, string type, string shown)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync(new FeedItem(0, "users", """["7"]"""u8.ToArray(), operation, "e-1", "42", 1_767_225_600_123_456,
            """{"id":7,"fullName":"Zoë \"Q\"","amount":12345678901234567890.10}"""u8.ToArray()));
        bed.Start(PushBed.ModelOf(receiver.Url));
        await bed.DeliveredAsync(1);
        var arrival = receiver.Arrivals.Single();
        arrival.Json.GetProperty("type").GetString().ShouldBe(type);
        arrival.Json.GetProperty("timestamp").GetString().ShouldBe("2026-01-01T00:00:00.123456Z");
        var data = arrival.Data;
        data.GetProperty("messageId").GetString().ShouldBe(arrival.Id);
        data.GetProperty("customerId").GetString().ShouldBe(PushBed.Feed);
        data.GetProperty("operation").GetString().ShouldBe(shown);
        data.GetProperty("key").GetRawText().ShouldBe("""["7"]""");
        data.GetProperty("eventId").GetString().ShouldBe("e-1");
        data.GetProperty("version").GetString().ShouldBe("42");
        data.GetProperty("transformedData").GetRawText()
            .ShouldBe("""{"id":7,"fullName":"Zoë \"Q\"","amount":12345678901234567890.10}""");
    }

    [Fact]
    public async Task What_is_polled_and_what_is_pushed_agree()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("k1");
        bed.Start(PushBed.ModelOf(receiver.Url));
        await bed.DeliveredAsync(1);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            FeedRecordJson.Write(json, PushBed.Feed, await bed.RecordAsync(1));
        }

        using var polled = JsonDocument.Parse(buffer.ToArray());
        foreach (var member in receiver.Arrivals.Single().Data.EnumerateObject())
        {
            polled.RootElement.GetProperty(member.Name).GetRawText().ShouldBe(member.Value.GetRawText());
        }

        polled.RootElement.GetProperty("status").GetString().ShouldBe("delivered");
        polled.RootElement.GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Records_of_a_key_keep_their_order_under_failures_and_none_is_lost()
    {
        var chance = new Random(7);
        var together = new Gathering(2);
        await using var receiver = await Receiver.StartAsync(async (_, context) =>
        {
            await together.JoinAsync();
            lock (chance)
            {
                context.Response.StatusCode = chance.Next(10) switch { < 3 => 500, 3 => 400, 4 => 301, _ => 204 };
            }
        });
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync(Enumerable.Range(0, 400).Select(static n => $"k{n * 7 % 23}"));
        bed.Start(PushBed.ModelOf(receiver.Url) with
        {
            Retry = [.. Enumerable.Repeat(TimeSpan.FromMilliseconds(3), 60)],
            Parallelism = 8,
        });
        await bed.DeliveredAsync(400);
        receiver.Taken.Count.ShouldBe(400);
        foreach (var key in receiver.Arrivals.GroupBy(static a => a.Key))
        {
            key.Select(static a => a.Offset).ShouldBeInOrder();
        }

        receiver.Arrivals.GroupBy(static a => a.Offset).ShouldAllBe(static g => g.Select(static a => a.Id).Distinct().Count() == 1);
        var tries = receiver.Arrivals.CountBy(static a => a.Offset).ToDictionary();
        (await bed.RecordsAsync()).ShouldAllBe(r => r.Status == FeedStatus.Delivered && r.Attempts == tries[r.Offset]);
        receiver.UnderWayMost.ShouldBeInRange(2, 8);
        (await bed.PositionAsync()).ShouldBe(400);
    }

    [Fact]
    public async Task A_record_that_fails_makes_only_its_own_key_wait()
    {
        await using var receiver = await Receiver.StartAsync(static a => a.Key == "bad" ? 500 : 200);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a", "bad", "b", "bad", "c", "bad", "d");
        bed.Start(PushBed.ModelOf(receiver.Url));
        await Eventually.BecomesAsync(() => bed.Status is { Delivered: 4, FailedAttempts: 1 });
        receiver.Arrivals.Where(static a => a.Key == "bad").Select(static a => a.Offset).ShouldBe([2]);
        (await bed.PositionAsync()).ShouldBe(1);
        bed.Status.Waiting.ShouldBe(3);
        var stuck = await bed.RecordAsync(2);
        stuck.Status.ShouldBe(FeedStatus.Pending);
        stuck.Attempts.ShouldBe(1);
        stuck.Error.ShouldBe("The endpoint answered 500.");
    }

    [Fact]
    public async Task What_was_delivered_beyond_a_record_that_waits_is_not_sent_again_after_a_restart()
    {
        var bad = true;
        await using var receiver = await Receiver.StartAsync(a => a.Key == "bad" && Volatile.Read(ref bad) ? 500 : 200);
        await using var bed = await PushBed.OpenAsync();
        var model = PushBed.ModelOf(receiver.Url) with { Retry = [TimeSpan.FromMilliseconds(200)] };
        await bed.AppendAsync("bad", "a", "b", "bad", "c");
        bed.Start(model with { Retry = PushModel.RetryDefault });
        await bed.DeliveredAsync(3);
        await bed.StopAsync();
        Volatile.Write(ref bad, false);
        bed.Start(model);
        await bed.DeliveredAsync(2);
        receiver.Taken.Select(static a => a.Offset).Order().ShouldBe([1, 2, 3, 4, 5]);
        receiver.Taken.Where(static a => a.Key == "bad").Select(static a => a.Offset).ShouldBe([1, 4]);
        (await bed.PositionAsync()).ShouldBe(5);
        (await bed.RecordAsync(1)).Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task A_crash_between_sending_and_recording_sends_again_under_the_same_id_and_never_a_later_one_first()
    {
        var together = new Gathering(2);
        await using var receiver = await Receiver.StartAsync((_, _) => together.JoinAsync());
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a", "b", "a");
        bed.Start(PushBed.ModelOf(receiver.Url), CrashingFeeds.Around(bed.Feeds));
        (await bed.EndAsync()).ShouldBeOfType<SyncException>().Error.Code.ShouldBe(ErrorCode.StorageFailed);
        await bed.StopAsync();
        receiver.Arrivals.Select(static a => a.Offset).Order().ShouldBe([1, 2]);
        (await bed.PositionAsync()).ShouldBe(0);
        var before = receiver.Arrivals.ToDictionary(static a => a.Offset, static a => a.Id);
        bed.Start(PushBed.ModelOf(receiver.Url));
        await bed.DeliveredAsync(3);
        receiver.Arrivals.Count.ShouldBe(5);
        receiver.Arrivals.ShouldAllBe(a => a.Offset == 3 || a.Id == before[a.Offset]);
        receiver.Arrivals.Where(static a => a.Key == "a").Select(static a => a.Offset).ShouldBe([1, 1, 3]);
    }

    [Fact]
    public async Task What_a_polling_consumer_acknowledged_is_pushed_nevertheless()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a", "b", "c");
        await bed.Feeds.CommitConsumerAsync(PushBed.Feed, "poller", 3, rewind: false, CancellationToken.None);
        bed.Start(PushBed.ModelOf(receiver.Url));
        await bed.DeliveredAsync(3);
        receiver.Taken.Count.ShouldBe(3);
    }

    [Fact]
    public async Task While_a_rotation_lasts_each_request_is_signed_with_both_secrets()
    {
        const string Fresh = "whsec_b2xkIHNlY3JldHMgYXJlIHJldGlyZWQgc29vbiwgb25l";
        await using var receiver = await Receiver.StartAsync();
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("a");
        bed.Start(PushBed.ModelOf(receiver.Url) with { Secrets = [Fresh, PushBed.Secret] });
        await bed.DeliveredAsync(1);
        var arrival = receiver.Arrivals.Single();
        arrival.Signature.Split(' ').Length.ShouldBe(2);
        arrival.IsSignedWith(Fresh).ShouldBeTrue();
        arrival.IsSignedWith(PushBed.Secret).ShouldBeTrue();
        arrival.IsSignedWith("whsec_" + Convert.ToBase64String(new byte[32])).ShouldBeFalse();
        (arrival with { Body = [.. arrival.Body, (byte)' '] }).IsSignedWith(Fresh).ShouldBeFalse();
        (arrival with { Id = "other" }).IsSignedWith(Fresh).ShouldBeFalse();
        (arrival with { Seconds = arrival.Seconds + 1 }).IsSignedWith(Fresh).ShouldBeFalse();
    }

    [Fact]
    public void The_published_example_has_the_published_signature()
    {
        WebhookSecret.TryParse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", out var secret).ShouldBeTrue();
        WebhookSecret.Sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""u8)
            .ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    [Theory]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_")]
    [InlineData("whsec_not base64!")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    public void A_secret_that_is_none_is_told(string secret) => WebhookSecret.TryParse(secret, out _).ShouldBeFalse();

    [Fact]
    public async Task Nothing_more_is_read_while_too_many_wait_and_reading_goes_on_after()
    {
        var bad = true;
        await using var receiver = await Receiver.StartAsync(a => a.Key == "bad" && Volatile.Read(ref bad) ? 500 : 200);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync(Enumerable.Range(0, 100).Select(static n => n % 2 == 0 ? "bad" : $"k{n}"));
        bed.Start(PushBed.ModelOf(receiver.Url) with { WaitingMax = 20 });
        await Eventually.BecomesAsync(() => bed.Status is { Full: true, InFlight: 0 });
        bed.Status.Waiting.ShouldBe(20);
        bed.Status.ReadTo.ShouldBeLessThan(100);
        Volatile.Write(ref bad, false);
        await bed.Pusher.ResendAsync(1, CancellationToken.None);
        await bed.DeliveredAsync(100);
        receiver.Taken.Where(static a => a.Key == "bad").Select(static a => a.Offset).ShouldBeInOrder();
    }

    [Fact]
    public async Task Records_that_retention_removed_are_counted_and_the_rest_is_pushed()
    {
        await using var receiver = await Receiver.StartAsync();
        var clock = new SteppedClock();
        await using var bed = await PushBed.OpenAsync(clock);
        var epoch = await bed.Feeds.AcquireAsync(age: TimeSpan.FromHours(1));
        await bed.Feeds.AppendAsync(epoch, FeedFacts.Items(1, 10));
        clock.Advance(TimeSpan.FromHours(2));
        await bed.Feeds.AppendAsync(epoch, FeedFacts.Items(11, 5));
        (await bed.Feeds.ApplyRetentionAsync(CancellationToken.None)).ShouldBe(10);
        bed.Start(PushBed.ModelOf(receiver.Url));
        await bed.DeliveredAsync(5);
        bed.Status.Missed.ShouldBe(10);
        receiver.Taken.Select(static a => a.Offset).Order().ShouldBe([11, 12, 13, 14, 15]);
    }

    [Fact]
    public void A_model_that_cannot_work_says_why()
    {
        var good = PushBed.ModelOf(new Uri("https://example.test/hook"));
        good.Faults().ShouldBeEmpty();
        (good with { Url = new Uri("http://10.0.0.1/") }).Faults().ShouldHaveSingleItem().Message.ShouldContain("private");
        (good with { Secrets = [] }).Faults().ShouldHaveSingleItem().Message.ShouldContain("whsec_");
        (good with { Secrets = ["secret"], Parallelism = 0 }).Faults().Count.ShouldBe(2);
        string.Join('\n', (good with { Secrets = ["my-own-secret"] }).Faults()).ShouldNotContain("my-own-secret");
        good.ToString().ShouldNotContain("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }
}
