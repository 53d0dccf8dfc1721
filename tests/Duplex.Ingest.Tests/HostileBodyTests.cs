using System.Net;
using System.Text;

namespace Duplex.Ingest.Tests;

public sealed class HostileBodyTests
{
    /// <summary>Well-formed, but other readers of the log would read them otherwise.</summary>
    private static readonly string[] RefusedThough =
        ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

    [SkippableFact]
    public async Task Every_body_of_the_parsing_suite_is_carried_byte_for_byte_or_refused_before_it_is_acknowledged()
    {
        var files = Suite();
        await using var server = await IngestServer.StartAsync();
        var taken = 0;
        foreach (var file in files)
        {
            var name = Path.GetFileName(file);
            var posted = await File.ReadAllBytesAsync(file);
            ((int)(await server.PostAsync("/sync", posted)).Status).ShouldBeInRange(400, 499, name);
            byte[] image = [.. """{"id":1,"x":"""u8, .. posted, (byte)'}'];
            var answer = await server.PostAsync("/sync", [.. Frame(), .. image, (byte)'}']);
            if (answer.Status == HttpStatusCode.OK)
            {
                name.ShouldNotStartWith("n_");
                taken++;
                // Sent once more in a list: the same verdict.
                (await server.PostAsync("/sync/batch", [(byte)'[', .. Frame(), .. image, .. "}]"u8]))
                    .Status.ShouldBe(HttpStatusCode.OK, name);
                var changes = await server.ReadAsync("users");
                changes.Count(c => c.After!.Utf8.Span.SequenceEqual(image)).ShouldBeGreaterThanOrEqualTo(2, name);
            }
            else
            {
                ((int)answer.Status).ShouldBeInRange(400, 499, name);
                answer.Detail.ShouldNotBeNullOrWhiteSpace(name);
                (name.StartsWith("y_", StringComparison.Ordinal) && !RefusedThough.Contains(name))
                    .ShouldBeFalse($"{name}: {answer.Text}");
            }
        }

        taken.ShouldBeGreaterThan(40);
        (await server.CountAsync()).ShouldBe(2 * taken);
    }

    [Theory]
    [InlineData(59, HttpStatusCode.OK)]
    [InlineData(60, HttpStatusCode.BadRequest)]
    [InlineData(100_000, HttpStatusCode.BadRequest)]
    public async Task Nesting_has_a_limit_within_which_the_log_can_be_read(int depth, HttpStatusCode status)
    {
        await using var server = await IngestServer.StartAsync();
        // The event and its image are two of the levels.
        var nested = depth - 2;
        var body = Events.Insert("1",
            $$"""{"x":{{new string('[', nested + 1)}}{{new string(']', nested + 1)}}}""");
        (await server.PostAsync(body)).Status.ShouldBe(status);
        if (status == HttpStatusCode.OK)
        {
            (await server.ReadAsync("users")).ShouldHaveSingleItem().After!.Root.GetProperty("x");
        }
    }

    [Theory]
    [InlineData("""{"event_type":"INSERT","table":"users","table":"orders","primary_key":{"id":1},"after":{}}""")]
    [InlineData("""{"event_type":"INSERT","table":"users","primary_key":{"id":1},"after":{"a":1,"\u0061":2}}""")]
    [InlineData("""{"event_type":"INSERT","table":"users","primary_key":{"id":1},"after":{"a":"\ud800"}}""")]
    [InlineData("""{"event_type":"INSERT","table":"users","primary_key":{"id":1},"after":{"\udc00":1}}""")]
    [InlineData("""{"event_type":"INSERT","table":"\ud800","primary_key":{"id":1},"after":{}}""")]
    [InlineData("""{"event_type":"INSERT","table":"users","primary_key":{"id":1e999999999999},"after":{}}""")]
    [InlineData("""{"event_type":"INSERT","table":"users","primary_key":{"id":1e999999},"after":{}}""")]
    [InlineData("\uFEFF{}")]
    public async Task What_two_readers_would_read_differently_is_refused(string body)
    {
        await using var server = await IngestServer.StartAsync();
        var answer = await server.PostAsync(body);
        answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
        (await server.CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_body_of_unknown_length_beyond_the_limit_is_refused()
    {
        await using var server = await IngestServer.StartAsync();
        using var content = new StreamContent(new PieceStream(
            Encoding.UTF8.GetBytes(Events.Insert("1", $$"""{"name":"{{new string('x', 2 << 20)}}"}""")), 8_192));
        using var response = await server.Http.PostAsync("/sync", content);
        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await server.PostAsync(Events.User)).ShouldBePublished("users");
    }

    [Theory]
    [InlineData("/sync", "gzip", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("/sync/batch", "GZIP, identity", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("/events", "x-gzip", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("/sync", "br", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("/sync", "identity", HttpStatusCode.OK)]
    [InlineData("/sync", "utf-8", HttpStatusCode.OK)]
    public async Task A_compressed_body_is_refused_as_such(string path, string coding, HttpStatusCode status)
    {
        await using var server = await IngestServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(Events.User) };
        request.Content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        using var response = await server.Http.SendAsync(request);
        response.StatusCode.ShouldBe(status);
        if (status != HttpStatusCode.OK)
        {
            (await response.Content.ReadAsStringAsync()).ShouldContain("ingest.compressed");
        }
    }

    [Fact]
    public async Task No_error_names_a_file_of_the_server()
    {
        await using var server = await IngestServer.StartAsync();
        foreach (var table in new[] { "nothing", "../internal/users", "/etc/passwd", "users\\u0000", "con", "users.json" })
        {
            var answer = await server.PostAsync($$"""{"table":"{{table}}"}""");
            answer.Status.ShouldBe(HttpStatusCode.BadRequest, answer.Text);
            answer.Text.ShouldNotContain(server.Folder);
            answer.Text.ShouldNotContain("schemas/");
            answer.Text.ShouldNotContain("..");
        }
    }

    private static byte[] Frame() =>
        [.. """{"event_type":"INSERT","table":"users","primary_key":{"id":1},"after":"""u8];

    private static string[] Suite()
    {
        var root = Environment.GetEnvironmentVariable("DUPLEX_SUITES");
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); root is null && at is not null; at = at.Parent)
        {
            var beside = Path.Combine(at.FullName, "shared", "suites");
            root = Directory.Exists(beside) ? beside : null;
        }

        var folder = Path.Combine(root ?? "", "json-parsing", "test_parsing");
        Skip.If(root is null || !Directory.Exists(folder), "the JSON parsing suite is not here");
        return Directory.GetFiles(folder, "*.json");
    }
}
