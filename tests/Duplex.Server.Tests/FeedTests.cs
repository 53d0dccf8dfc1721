using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Duplex.Cli;
using Duplex.Engine.Feeds;
using Duplex.Server.Feeds;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>Feeds as customers read them.</summary>
public sealed class FeedTests : IAsyncLifetime
{
    private RunningServer _server = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _server = await RunningServer.StartAsync();
        _http = new HttpClient { BaseAddress = _server.Host.DataAddress };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_page_has_every_record_with_every_member()
    {
        await FeedServer.AppendAsync(_server, "customer-a", ["{\"größe\": 1.50,\n \"x\":[null]}", "{}"]);
        var text = await _http.GetStringAsync("/feed/customer-a?offset=0&limit=50");
        text.ShouldContain("\"transformedData\":{\"größe\": 1.50,\n \"x\":[null]}", customMessage: "as it is stored");
        var page = JsonElement.Parse(text);
        page.GetProperty("customer").GetString().ShouldBe("customer-a");
        (page.GetProperty("next_offset").GetInt64(), page.GetProperty("last_offset").GetInt64(),
            page.GetProperty("first_offset").GetInt64()).ShouldBe((2, 2, 1));
        var record = page.GetProperty("records")[0];
        record.EnumerateObject().Select(static m => m.Name).ShouldBe([
            "offset", "messageId", "customerId", "table", "operation", "key", "version", "timestamp", "eventId",
            "transformedData", "status", "attempts", "createdAt", "updatedAt", "errorMessage"]);
        record.GetProperty("operation").GetString().ShouldBe("INSERT");
        record.GetProperty("key").GetRawText().ShouldBe("[\"0\"]");
        record.GetProperty("timestamp").GetString().ShouldBe("2023-11-14T22:13:20.123456Z");
        record.GetProperty("status").GetString().ShouldBe("pending");
        record.GetProperty("errorMessage").ValueKind.ShouldBe(JsonValueKind.Null);
        var ids = page.GetProperty("records").EnumerateArray().Select(static r => r.GetProperty("messageId").GetGuid());
        ids.Distinct().Count().ShouldBe(2);
        (await _http.GetStringAsync("/feed/customer-a")).ShouldBe(text, "the same again, ids included");
    }

    [Fact]
    public async Task Pages_follow_each_other_without_loss()
    {
        await FeedServer.SeedAsync(_server, 2_345);
        var offset = 0L;
        var seen = new List<long>();
        while (true)
        {
            var page = await GetAsync($"/feed/customer-a?offset={offset}&limit=1000");
            var offsets = page.GetProperty("records").EnumerateArray().Select(Offset).ToList();
            offset = page.GetProperty("next_offset").GetInt64();
            if (offsets.Count == 0)
            {
                break;
            }

            seen.AddRange(offsets);
        }

        seen.ShouldBe(Enumerable.Range(1, 2_345).Select(static n => (long)n));
        (await GetAsync("/feed/customer-a")).GetProperty("records").GetArrayLength().ShouldBe(50);
    }

    [Fact]
    public async Task A_table_is_read_alone_and_its_reader_moves_past_the_others()
    {
        await FeedServer.SeedAsync(_server, 3);
        await FeedServer.SeedAsync(_server, 2, table: "orders");
        await FeedServer.SeedAsync(_server, 4);
        var orders = await GetAsync("/feed/customer-a?table=orders");
        orders.GetProperty("records").EnumerateArray().Select(Offset).ShouldBe([4, 5]);
        orders.GetProperty("next_offset").GetInt64().ShouldBe(5);
        (await GetAsync("/feed/customer-a?table=orders&offset=5")).GetProperty("next_offset").GetInt64().ShouldBe(9);
    }

    [Theory]
    [InlineData("offset=-1", "offset")]
    [InlineData("offset=x", "offset")]
    [InlineData("offset=", "offset")]
    [InlineData("offset=1&offset=2", "offset")]
    [InlineData("offset=99999999999999999999", "offset")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=1e3", "limit")]
    [InlineData("table=", "table")]
    [InlineData("wait=31", "wait")]
    [InlineData("wait=1h", "wait")]
    [InlineData("wait=soon", "wait")]
    [InlineData("consumer=a%2Fb", "consumer")]
    [InlineData("consumer=", "consumer")]
    [InlineData("ack=yes&consumer=a", "ack")]
    [InlineData("ack=true", "ack")]
    public async Task A_bad_parameter_is_refused_by_its_name(string query, string name)
    {
        await FeedServer.SeedAsync(_server, 1);
        using var response = await _http.GetAsync($"/feed/customer-a?{query}");
        var problem = await ProblemAsync(response, HttpStatusCode.BadRequest, "request.bad_value");
        problem.GetProperty("field").GetString().ShouldBe(name);
    }

    [Fact]
    public async Task An_unknown_customer_is_not_found()
    {
        await FeedServer.SeedAsync(_server, 1);
        foreach (var path in new[] { "/feed/customer-x", "/feed/customer-x/consumers" })
        {
            using var response = await _http.GetAsync(path);
            var problem = await ProblemAsync(response, HttpStatusCode.NotFound, "request.unknown_feed");
            problem.GetProperty("fix").GetString()!.ShouldContain("customer-a");
        }
    }

    [Fact]
    public async Task What_retention_removed_is_gone_with_the_first_offset_that_is_left()
    {
        var store = _server.Host.Engine.Parts.Feeds!;
        await FeedServer.SeedAsync(_server, 3);
        await store.AcquireAsync(new FeedSpec("customer-a", TimeSpan.FromDays(1), 0), default);
        (await store.ApplyRetentionAsync(default)).ShouldBe(3);
        await FeedServer.SeedAsync(_server, 2);
        foreach (var query in new[] { "?offset=0", "?offset=2", "?offset=2&table=users" })
        {
            using var response = await _http.GetAsync($"/feed/customer-a{query}");
            var problem = await ProblemAsync(response, HttpStatusCode.Gone, "feed.gone");
            problem.GetProperty("first_offset").GetInt64().ShouldBe(4);
            problem.GetProperty("fix").GetString()!.ShouldContain("offset=3");
        }

        (await GetAsync("/feed/customer-a?offset=3")).GetProperty("records").GetArrayLength().ShouldBe(2);
        (await GetAsync("/feed/customer-a")).GetProperty("records").GetArrayLength()
            .ShouldBe(2, "who names no offset begins with the first");
    }

    [Fact]
    public async Task A_long_poll_is_answered_when_the_record_comes_and_empty_after_its_wait()
    {
        await FeedServer.SeedAsync(_server, 1);
        var waiting = GetAsync("/feed/customer-a?offset=1&wait=30");
        var ofTable = GetAsync("/feed/customer-a?offset=1&wait=30s&table=orders");
        await FeedServer.SeedAsync(_server, 1);
        (await waiting).GetProperty("records").EnumerateArray().Select(Offset).ShouldBe([2]);
        ofTable.IsCompleted.ShouldBeFalse();
        await FeedServer.SeedAsync(_server, 1, table: "orders");
        (await ofTable).GetProperty("records").EnumerateArray().Select(Offset).ShouldBe([3]);
        var empty = await GetAsync("/feed/customer-a?offset=3&wait=50ms");
        empty.GetProperty("records").GetArrayLength().ShouldBe(0);
        empty.GetProperty("next_offset").GetInt64().ShouldBe(3);
    }

    [Fact]
    public async Task A_consumer_resumes_at_its_position_which_ack_or_a_post_stores()
    {
        await FeedServer.SeedAsync(_server, 6);
        (await PollAsync("&limit=2")).ShouldBe([1, 2], "without ack nothing is stored");
        (await PollAsync("&limit=2&ack=true")).ShouldBe([1, 2]);
        (await PollAsync("&limit=2&ack=true")).ShouldBe([3, 4]);
        (await PollAsync("")).ShouldBe([5, 6]);
        (await CommitAsync("""{"offset":5}""")).ShouldBe(5);
        (await CommitAsync("""{"offset":2,"rewind":false}""")).ShouldBe(5, "it does not go back");
        (await PollAsync("")).ShouldBe([6]);
        var records = (await GetAsync("/feed/customer-a")).GetProperty("records").EnumerateArray();
        records.Select(static r => r.GetProperty("status").GetString())
            .ShouldBe(["delivered", "delivered", "delivered", "delivered", "delivered", "pending"]);
        (await CommitAsync("""{"offset":1,"rewind":true}""")).ShouldBe(1);
        (await PollAsync("&limit=1")).ShouldBe([2]);
        var consumer = (await GetAsync("/feed/customer-a/consumers")).GetProperty("items")[0];
        (consumer.GetProperty("consumer").GetString(), consumer.GetProperty("behind").GetInt64()).ShouldBe(("poller", 5));

        async Task<IEnumerable<long>> PollAsync(string more) =>
            (await GetAsync($"/feed/customer-a?consumer=poller{more}")).GetProperty("records").EnumerateArray()
                .Select(Offset);
    }

    [Theory]
    [InlineData("{\"offset\":3}", "request.bad_value")]
    [InlineData("{\"offset\":-1}", "request.bad_value")]
    [InlineData("{}", "request.bad_value")]
    [InlineData("{\"offset\":\"1\"}", "request.unreadable")]
    public async Task A_position_that_cannot_be_is_refused(string body, string code)
    {
        await FeedServer.SeedAsync(_server, 2);
        using var response = await _http.PostAsync("/feed/customer-a/consumers/poller", Json(body));
        await ProblemAsync(response, HttpStatusCode.BadRequest, code);
    }

    [Fact]
    public async Task Events_carry_offsets_as_ids_and_resume_after_the_last_one()
    {
        await FeedServer.AppendAsync(_server, "customer-a", ["{\"n\":\n0}", "{\"n\":1}"]);
        await using (var events = await OpenEventsAsync("/feed/customer-a?offset=0"))
        {
            var first = await events.NextAsync();
            first.Id.ShouldBe("1");
            JsonElement.Parse(first.Data).GetProperty("transformedData").GetProperty("n").GetInt32().ShouldBe(0);
            (await events.NextAsync()).Id.ShouldBe("2");
            await FeedServer.SeedAsync(_server, 2);
            (await events.NextAsync()).Id.ShouldBe("3");
        }

        await using var resumed = await OpenEventsAsync("/feed/customer-a?offset=0", "3");
        (await resumed.NextAsync()).Id.ShouldBe("4");
        var stopping = _server.Host.StopAsync();
        (await resumed.EndsAsync()).ShouldBeTrue("a stop ends the stream");
        await stopping.WaitAsync(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task With_keys_a_customer_sees_its_own_feed_alone()
    {
        await using var server = await RunningServer.StartAsync(keys: true);
        await FeedServer.SeedAsync(server, 1, "globex");
        await FeedServer.SeedAsync(server, 1, "customer-a");
        using var http = new HttpClient { BaseAddress = server.Host.DataAddress };
        (await http.GetAsync("/feed/globex")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await http.GetAsync("/feed")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RunningServer.OtherTenantKey);
        (await http.GetAsync("/feed/globex")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var other = await http.GetAsync("/feed/customer-a");
        other.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await other.Content.ReadAsStringAsync()).ShouldNotContain("Feeds: customer-a");
        JsonElement.Parse(await http.GetStringAsync("/feed")).GetProperty("items").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task The_feed_command_shows_and_follows()
    {
        await FeedServer.SeedAsync(_server, 3);
        var url = _server.Host.ControlAddress.ToString();
        var page = await CommandLine.RunAsync("feed", "customer-a", "--offset", "1", "--limit", "1", "--json", "--url", url);
        page.Json.GetProperty("records")[0].GetProperty("offset").GetInt64().ShouldBe(2);
        (await CommandLine.RunAsync("feed", "customer-a", "--table", "users", "--url", url)).Output
            .ShouldContain("offsets 1 to 3");
        var unknown = await CommandLine.RunAsync("feed", "customer-x", "--url", url);
        unknown.Code.ShouldBe(1);
        unknown.Errors.ShouldContain("customer-x");

        using var stop = new CancellationTokenSource();
        var output = new StringWriter();
        var terminal = new Terminal(TextWriter.Synchronized(output), TextWriter.Null, TextReader.Null, screen: false);
        var following = DuplexCommand.RunAsync(
            ["feed", "customer-a", "--follow", "--json", "--url", url], terminal, stop.Token);
        await FeedServer.SeedAsync(_server, 1);
        await RunningServer.UntilAsync(() => Task.FromResult(Lines().Length == 4), "every record is written");
        await stop.CancelAsync();
        (await following).ShouldBe(0);
        Lines().Select(static line => JsonElement.Parse(line).GetProperty("offset").GetInt64()).ShouldBe([1, 2, 3, 4]);

        string[] Lines() => output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task A_stream_without_records_beats_so_that_its_reader_knows_it_lives()
    {
        await FeedServer.SeedAsync(_server, 1);
        var store = _server.Host.Engine.Parts.Feeds!;
        var poll = new FeedPoll(store, "customer-a", new FeedQuery(1, 10, null, TimeSpan.Zero, null, false));
        using var stop = new CancellationTokenSource();
        var pipe = new Pipe();
        var context = new DefaultHttpContext { Response = { Body = pipe.Writer.AsStream() } };
        var stream = new FeedEventStream(poll, await poll.ReadAsync(1, default), stop.Token)
        {
            Heartbeat = TimeSpan.FromMilliseconds(20),
        };
        var sending = stream.ExecuteAsync(context);
        using var reader = new StreamReader(pipe.Reader.AsStream());
        var beats = 0;
        while (beats < 3)
        {
            var line = (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2))).ShouldNotBeNull();
            beats += line == ": " ? 1 : 0;
            line.ShouldNotStartWith("data");
        }

        await stop.CancelAsync();
        await sending.WaitAsync(TimeSpan.FromMinutes(2));
    }

    private static long Offset(JsonElement record) => record.GetProperty("offset").GetInt64();

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task<JsonElement> ProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonElement.Parse(text);
        problem.GetProperty("code").GetString().ShouldBe(code);
        return problem;
    }

    private async Task<JsonElement> GetAsync(string path) => JsonElement.Parse(await _http.GetStringAsync(path));

    private async Task<long> CommitAsync(string body)
    {
        using var response = await _http.PostAsync("/feed/customer-a/consumers/poller", Json(body));
        return JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("offset").GetInt64();
    }

    private async Task<EventReader> OpenEventsAsync(string path, string? lastId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastId);
        }

        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        return new EventReader(response);
    }
}
