using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Xunit.Abstractions;

namespace Duplex.EndToEnd.Tests;

/// <summary>Mappings that are taken into use one after the other while changes are posted and the server is killed.</summary>
public sealed class RegistryKillTests(ITestOutputHelper output)
{
    private const int Kills = 4;
    private const int ActivationsPerLife = 6;
    private const int KeysPerClient = 5;
    private const int Clients = 2;

    [Fact]
    public async Task What_was_taken_into_use_holds_from_its_answer_on_over_kills()
    {
        var folder = Directory.CreateTempSubdirectory("duplex-registry-").FullName;
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "schemas", "internal"));
            await File.WriteAllTextAsync(Path.Combine(folder, "schemas", "internal", "users.json"), "{}", stop.Token);
            await using var server = new ServerProcess(folder, static section => $$"""
                data: ./data
                {{section}}
                ingest: { schemas: ./schemas }
                """);
            server.Start();
            using var data = Http(server.DataPort);
            using var control = Http(server.ControlPort);
            await RepeatAsync(control, HttpMethod.Put, "/v1/customers/zoo", """{"tables":["users"],"start":"earliest"}""", stop.Token);

            var activations = new List<Span>();
            var posts = new ConcurrentDictionary<int, Span>();
            using var posting = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
            var clients = Enumerable.Range(0, Clients).Select(c => PostAsync(data, c, posts, posting)).ToList();
            await ActivateAsync(control, activations, stop.Token);
            for (var life = 0; life <= Kills; life++)
            {
                for (var i = 0; i < ActivationsPerLife; i++)
                {
                    await ActivateAsync(control, activations, stop.Token);
                    await FollowedAsync(posts, stop.Token);
                }

                if (life < Kills)
                {
                    // Struck while the next one is on its way, at a moment that differs from life to life.
                    var next = ActivateAsync(control, activations, stop.Token);
                    using var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(1 + (2 * life)));
                    await moment.WaitForNextTickAsync(stop.Token);
                    await server.KillAsync();
                    server.Start();
                    await next;
                }
            }

            await posting.CancelAsync();
            await Task.WhenAll(clients);
            var forms = await ReadAsync(data, posts.Count, stop.Token);
            Check(forms, posts, activations);
            output.WriteLine($"{posts.Count} posts, {activations.Count} activations, {server.Kills} kills, "
                + $"{activations.Count(static a => a.Tries > 1) + posts.Values.Count(static p => p.Tries > 1)} requests repeated");
            server.Kills.ShouldBe(Kills);
            (activations.Count(static a => a.Tries > 1) + posts.Values.Count(static p => p.Tries > 1)).ShouldBeGreaterThan(0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A change that was posted after an activation's answer has its form or a later one, and the forms of a record never go
    /// back.</summary>
    private static void Check(
        List<(int Post, int Form)> forms, IReadOnlyDictionary<int, Span> posts, List<Span> activations)
    {
        forms.Select(static f => f.Post).Distinct().Count().ShouldBe(posts.Count);
        var held = new HashSet<int>();
        foreach (var (post, form) in forms)
        {
            var least = activations.FindLastIndex(a => a.Answered < posts[post].Sent);
            form.ShouldBeGreaterThanOrEqualTo(Math.Max(0, least), $"post {post}");
            held.Add(least);
        }

        held.Count.ShouldBeGreaterThan(activations.Count / 2, "too few activations were followed by a post");
        foreach (var key in forms.GroupBy(static f => f.Post % (Clients * KeysPerClient)))
        {
            key.Select(static f => f.Form).ShouldBe(key.Select(static f => f.Form).Order());
            key.Select(static f => f.Post).ShouldBe(key.Select(static f => f.Post).Order());
        }
    }

    /// <summary>Waits until changes are posted that were sent after now: each client has at most one under way.</summary>
    private static async Task FollowedAsync(ConcurrentDictionary<int, Span> posts, CancellationToken stop)
    {
        var enough = posts.Count + Clients + 1;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (posts.Count < enough)
        {
            await tick.WaitForNextTickAsync(stop);
        }
    }

    private static async Task ActivateAsync(HttpClient control, List<Span> activations, CancellationToken stop)
    {
        var span = await RepeatAsync(control, HttpMethod.Put, "/v1/customers/zoo/mappings/users?activate=true",
            $$$"""{"rules":[{"a":"n","b":"post"},{"b":"form","via":{"constant":{{{activations.Count}}}}}]}""", stop);
        activations.Add(span);
    }

    private static async Task PostAsync(
        HttpClient data, int client, ConcurrentDictionary<int, Span> posts, CancellationTokenSource posting)
    {
        for (var n = client; !posting.IsCancellationRequested; n += Clients)
        {
            posts[n] = await RepeatAsync(data, HttpMethod.Post, "/sync", string.Create(CultureInfo.InvariantCulture, $$"""
                {"event_type":"INSERT","event_id":"e{{n}}","table":"users","primary_key":{"id":{{n % (Clients * KeysPerClient)}}},"after":{"n":{{n}}} }
                """), CancellationToken.None);
        }
    }

    /// <summary>Sends until it is answered well; from the first try on it may have had its effect.</summary>
    private static async Task<Span> RepeatAsync(
        HttpClient http, HttpMethod method, string path, string body, CancellationToken stop)
    {
        var sent = Stopwatch.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var tries = 1; ; tries++)
        {
            try
            {
                using var request = new HttpRequestMessage(method, path);
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await http.SendAsync(request, stop);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return new Span(sent, Stopwatch.GetTimestamp(), tries);
                }

                ((int)answer.StatusCode).ShouldBeGreaterThanOrEqualTo(429, await answer.Content.ReadAsStringAsync(stop));
            }
            catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !stop.IsCancellationRequested))
            {
                // It is killed or not there yet, or gives no answer in time.
            }

            await tick.WaitForNextTickAsync(stop);
        }
    }

    private static async Task<List<(int Post, int Form)>> ReadAsync(HttpClient data, int records, CancellationToken stop)
    {
        var forms = new List<(int, int)>();
        while (forms.Count < records)
        {
            var page = JsonElement.Parse(await data.GetStringAsync(new Uri(string.Create(
                CultureInfo.InvariantCulture, $"/feed/zoo?offset={forms.Count}&limit=1000&wait=5"), UriKind.Relative), stop));
            forms.AddRange(page.GetProperty("records").EnumerateArray().Select(static r => r.GetProperty("transformedData"))
                .Select(static d => (d.GetProperty("post").GetInt32(), d.GetProperty("form").GetInt32())));
        }

        return forms;
    }

    private static HttpClient Http(int port) => new()
    {
        BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")),
        Timeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>When a request was sent first, and when it was answered well.</summary>
    private sealed record Span(long Sent, long Answered, int Tries);
}
