using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Duplex.EndToEnd.Tests;

/// <summary>What <c>kcat</c>, which knows nothing of Duplex, reads of what was posted.</summary>
[Collection(KafkaCollection.Name)]
public sealed class KcatTests(SharedKafka kafka)
{
    /// <summary>The prefix of the documented example.</summary>
    private const string Prefix = "duplex";

    [SkippableFact]
    public async Task The_documented_line_reads_what_was_posted_with_its_key_its_headers_and_as_an_envelope()
    {
        SharedKafka.Require();
        var folder = Directory.CreateTempSubdirectory("duplex-kcat-").FullName;
        try
        {
            await using var server = Start(folder);
            using var http = new HttpClient
            {
                BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{server.DataPort}")),
            };
            await PostAsync(http, """
                {"event_type":"INSERT","event_id":"e1","table":"users","primary_key":{"id":7},"after":{"id":7,"name":"Zoë","big":12345678901234567890}}
                """);
            await PostAsync(http, """
                {"event_type":"UPDATE","event_id":"e2","table":"users","primary_key":{"id":7},"before":{"id":7,"name":"Zoë"},"after":{"id":7,"name":"Zoë M."}}
                """);
            await PostAsync(http, """
                {"event_type":"DELETE","event_id":"e3","table":"orders","primary_key":{"id":1},"before":{"id":1}}
                """);

            var line = Documented();
            var users = await ReadAsync(line);
            users.Count.ShouldBe(2);
            Expect(users[0], ["7"], "c", "e1").GetProperty("after").GetRawText().ShouldBe("""{"id":7,"name":"Zoë","big":12345678901234567890}""");
            var update = Expect(users[1], ["7"], "u", "e2");
            update.GetProperty("before").GetProperty("name").GetString().ShouldBe("Zoë");
            update.GetProperty("after").GetProperty("name").GetString().ShouldBe("Zoë M.");
            var orders = await ReadAsync(line.Replace($"{Prefix}.users", $"{Prefix}.orders", StringComparison.Ordinal));
            var delete = Expect(orders.ShouldHaveSingleItem(), ["1"], "d", "e3");
            delete.GetProperty("before").GetProperty("id").GetInt32().ShouldBe(1);
            (delete.TryGetProperty("after", out var after) && after.ValueKind == JsonValueKind.Object).ShouldBeFalse();
            (await RunAsync($"kcat -L -b {kafka.Broker.Bootstrap} -t {Prefix}.users")).ShouldContain(
                $"topic \"{Prefix}.users\" with 4 partitions", Case.Sensitive, "as the log's section says");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonElement Expect(string[] parts, string[] key, string operation, string delivery)
    {
        JsonElement.Parse(parts[0]).EnumerateArray().Select(static p => p.GetString()).ShouldBe(key);
        parts[1].Split(',').ShouldContain($"duplex.op={operation}");
        parts[1].Split(',').ShouldContain($"duplex.source=ingest");
        parts[1].ShouldContain("duplex.delivery=");
        parts[1].ShouldContain(delivery);
        var envelope = JsonElement.Parse(parts[2]);
        envelope.GetProperty("op").GetString().ShouldBe(operation);
        envelope.GetProperty("ts_ms").ValueKind.ShouldBe(JsonValueKind.Number);
        envelope.GetProperty("source").GetProperty("connector").ValueKind.ShouldBe(JsonValueKind.String);
        return envelope;
    }

    private ServerProcess Start(string folder)
    {
        var schemas = Directory.CreateDirectory(Path.Combine(folder, "schemas", "internal"));
        foreach (var table in new[] { "users", "orders" })
        {
            File.WriteAllText(Path.Combine(schemas.FullName, $"{table}.json"),
                """{"type":"object","required":["event_type","table","primary_key"]}""");
        }

        var server = new ServerProcess(folder, section => $"""
            data: ./data
            {kafka.Section(Prefix)}
            {section}
            ingest:
              schemas: ./schemas
            """);
        server.Start();
        return server;
    }

    private static async Task PostAsync(HttpClient http, string body)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await http.PostAsync(new Uri("/sync", UriKind.Relative), content, deadline.Token);
                if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
                {
                    answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(deadline.Token));
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            // Sent again under its id, also when the broker had no time to take it.
            await tick.WaitForNextTickAsync(deadline.Token);
        }
    }

    /// <summary>The line of the documents, with the address of the test's broker.</summary>
    private string Documented()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Duplex.slnx")))
        {
            root = root.Parent.ShouldNotBeNull();
        }

        var line = File.ReadLines(Path.Combine(root.FullName, "docs", "configuration.md"))
            .Single(static l => l.StartsWith("kcat ", StringComparison.Ordinal));
        line.ShouldContain("localhost:9092");
        return line.Replace("localhost:9092", kafka.Broker.Bootstrap, StringComparison.Ordinal);
    }

    /// <summary>Key, headers and value of each record.</summary>
    private static async Task<List<string[]>> ReadAsync(string line) =>
        [.. (await RunAsync(line)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static l => l.Split('\t'))];

    private static async Task<string> RunAsync(string line)
    {
        var start = new ProcessStartInfo("sh", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        const int notFound = 127;
        Skip.If(process.ExitCode == notFound && Environment.GetEnvironmentVariable("CI") != "true", "kcat is not installed");
        process.ExitCode.ShouldBe(0, $"{line}: {await errors}");
        return output;
    }
}
