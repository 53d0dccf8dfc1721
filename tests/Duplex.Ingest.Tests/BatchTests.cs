using System.Net;
using System.Text;
using System.Text.Json;

namespace Duplex.Ingest.Tests;

public sealed class BatchTests
{
    [Theory]
    [InlineData("application/json", "[{0},{1},{2}]")]
    [InlineData("application/json", " [ {0} ,\n{1}\t, {2} ] \n")]
    [InlineData("application/x-ndjson", "{0}\n{1}\r\n\n{2}")]
    [InlineData("text/plain", "{0}\n{1}\n{2}\n")]
    public async Task A_list_and_lines_are_taken(string type, string form)
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await PostAsync(server, form.Replace("{0}", Events.User, StringComparison.Ordinal)
            .Replace("{1}", Events.Ticket, StringComparison.Ordinal)
            .Replace("{2}", Events.Order, StringComparison.Ordinal), type);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        answer.Text.ShouldBe(
            """{"results":[{"index":0,"status":"published","topic":"users"},"""
            + """{"index":1,"status":"published","topic":"tickets"},"""
            + """{"index":2,"status":"published","topic":"orders"}],"published":3,"rejected":0}""");
        (await server.ReadAsync("users")).Count.ShouldBe(1);
        (await server.ReadAsync("tickets")).Count.ShouldBe(1);
        (await server.ReadAsync("orders")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_event_that_is_refused_keeps_no_other_out()
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await PostAsync(server,
            $$"""[{{Events.User}},7,{"table":"invoices"},{{Events.Insert("\"x\"")}},{{Events.Order}}]""");
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        Published(answer).ShouldBe([0, 4]);
        answer.Json.GetProperty("published").GetInt32().ShouldBe(2);
        answer.Json.GetProperty("rejected").GetInt32().ShouldBe(3);
        Detail(answer, 2).ShouldBe("Schema validation failed: Schema file not found: internal/invoices.json");
        Detail(answer, 3).ShouldBe("Schema validation failed: Validation failed: 'x' is not of type 'integer'");
        (await server.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_line_that_is_no_JSON_is_refused_alone()
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await PostAsync(server, $"{Events.User}\n{{\"a\":\n\"x\n{Events.Order}", "application/x-ndjson");
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
        Published(answer).ShouldBe([0, 3]);
        (await server.CountAsync()).ShouldBe(2);
    }

    [Theory]
    [InlineData("[{0},{1}", 2)]
    [InlineData("[{0},{1},", 2)]
    [InlineData("[{0},{1},]", 2)]
    [InlineData("[{0}{1}]", 1)]
    [InlineData("[{0},{1}]x", 2)]
    [InlineData("[{0},{1}][", 2)]
    [InlineData("[{0},{\"a\":}, {1}]", 1)]
    [InlineData("[{0},{\"a\":1]]", 1)]
    [InlineData("[{0},{1},{\"table\":\"use", 2)]
    [InlineData("[,{0}]", 0)]
    [InlineData("", 0)]
    [InlineData("  ", 0)]
    public async Task A_list_that_is_none_is_refused_and_what_is_stored_before_the_fault_is_told(
        string form, int published)
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await PostAsync(server, form.Replace("{0}", Events.User, StringComparison.Ordinal)
            .Replace("{1}", Events.Order, StringComparison.Ordinal));
        answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
        answer.Json.GetProperty("code").GetString().ShouldBe("ingest.malformed");
        answer.Json.GetProperty("published").GetInt32().ShouldBe(published);
        Published(answer).Count.ShouldBe(published);
        (await server.CountAsync()).ShouldBe(published);
    }

    [Fact]
    public async Task Ten_thousand_events_are_taken_and_one_more_is_not()
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await PostAsync(server, $"[{string.Join(',', Enumerable.Range(0, 10_000).Select(Numbered))}]");
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text[..200]);
        answer.Json.GetProperty("published").GetInt32().ShouldBe(10_000);
        var more = await PostAsync(server, $"[{string.Join(',', Enumerable.Range(0, 10_001).Select(Numbered))}]");
        more.Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        more.Json.GetProperty("published").GetInt32().ShouldBe(10_000);
        (await server.CountAsync()).ShouldBe(20_000);

        static string Numbered(int i) => Events.Insert($"{i}");
    }

    [Fact]
    public async Task An_event_beyond_its_limit_is_refused_alone_however_large()
    {
        await using var server = await IngestServer.StartAsync(ingest: ", max_body: 4kB");
        var huge = Events.Insert("2", $$"""{"name":"{{new string('x', 3_000_000)}}"}""");
        foreach (var (body, type) in new[]
        {
            ($"[{Events.User},{huge},{Events.Order}]", "application/json"),
            ($"{Events.User}\n{huge}\n{Events.Order}", "application/x-ndjson"),
        })
        {
            var answer = await PostAsync(server, body, type);
            answer.Status.ShouldBe(HttpStatusCode.OK, answer.Text);
            Published(answer).ShouldBe([0, 2]);
        }
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused_and_what_is_stored_is_told()
    {
        await using var server = await IngestServer.StartAsync();
        var one = Events.Insert("1", $$"""{"name":"{{new string('x', 700_000)}}"}""");
        using var content = new ManyEvents(one, 100);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sync/batch") { Content = content };
        using var response = await server.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge, text);
        JsonElement.Parse(text).GetProperty("published").GetInt32().ShouldBeInRange(80, 97);
        (await server.CountAsync()).ShouldBe(JsonElement.Parse(text).GetProperty("published").GetInt32());
    }

    [Fact]
    public async Task A_list_that_is_repeated_under_its_key_is_stored_once()
    {
        await using var server = await IngestServer.StartAsync();
        for (var i = 0; i < 2; i++)
        {
            var answer = await PostAsync(server, $"[{Events.User},{Events.User},{Events.Order}]", key: "list-1");
            answer.Json.GetProperty("published").GetInt32().ShouldBe(3);
        }

        (await server.CountAsync()).ShouldBe(3);
    }

    [Fact]
    public async Task An_array_that_comes_in_pieces_of_any_size_is_cut_at_the_same_places()
    {
        await using var server = await IngestServer.StartAsync();
        var text = """[{"table":"users","event_type":"INSERT","primary_key":{"id":1},"after":{"name":"a\"],[{\\"}} , 17,"\\\"]", [[]], null ]""";
        foreach (var size in new[] { 1, 2, 3, 7, 50 })
        {
            using var content = new StreamContent(new PieceStream(Encoding.UTF8.GetBytes(text), size));
            using var response = await server.Http.PostAsync("/sync/batch", content);
            var answer = JsonElement.Parse(await response.Content.ReadAsStringAsync());
            response.StatusCode.ShouldBe(HttpStatusCode.OK, answer.ToString());
            answer.GetProperty("published").GetInt32().ShouldBe(1);
            answer.GetProperty("rejected").GetInt32().ShouldBe(4);
        }

        (await server.CountAsync()).ShouldBe(5);
    }

    private static Task<Answer> PostAsync(
        IngestServer server, string body, string type = "application/json", string? key = null) =>
        server.PostAsync("/sync/batch", Encoding.UTF8.GetBytes(body), key, type);

    private static List<int> Published(Answer answer) =>
    [
        .. answer.Json.GetProperty("results").EnumerateArray()
            .Where(static r => r.GetProperty("status").GetString() == "published")
            .Select(static r => r.GetProperty("index").GetInt32()),
    ];

    private static string? Detail(Answer answer, int index) =>
        answer.Json.GetProperty("results")[index].GetProperty("detail").GetString();

    /// <summary>The same event many times, as a list, without its length told.</summary>
    private sealed class ManyEvents(string one, int count) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var bytes = Encoding.UTF8.GetBytes("," + one);
            for (var i = 0; i < count; i++)
            {
                try
                {
                    bytes[0] = (byte)(i == 0 ? '[' : ',');
                    await stream.WriteAsync(bytes);
                }
                catch (Exception e) when (e is IOException or HttpRequestException)
                {
                    // The server has answered before the end.
                    return;
                }
            }

            await stream.WriteAsync("]"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
