using System.Text;
using System.Text.Json;

namespace Duplex.Ingest.Tests;

public sealed class ApiDocumentTests
{
    [Fact]
    public async Task Every_example_of_a_posted_body_is_answered_as_the_document_shows()
    {
        await using var server = await IngestServer.StartAsync();
        using var control = new HttpClient { BaseAddress = server.Host.ControlAddress };
        var paths = JsonElement.Parse(await control.GetStringAsync("/openapi/v1.json")).GetProperty("paths");
        var ran = 0;
        foreach (var path in new[] { "/sync", "/events", "/sync/batch" })
        {
            var operation = paths.GetProperty(path).GetProperty("post");
            var shown = operation.GetProperty("responses").GetProperty("200").GetProperty("content")
                .GetProperty("application/json").GetProperty("example");
            foreach (var body in operation.GetProperty("requestBody").GetProperty("content").EnumerateObject())
            {
                var example = Encoding.UTF8.GetBytes(body.Value.GetProperty("example").GetRawText());
                var answer = await server.PostAsync(path, example, type: body.Name);
                ((int)answer.Status).ShouldBe(200, $"{path} {body.Name}: {answer.Text}");
                answer.Json.EnumerateObject().Select(static m => m.Name)
                    .ShouldBe(shown.EnumerateObject().Select(static m => m.Name));
                ran++;
            }
        }

        ran.ShouldBe(6);
    }
}
