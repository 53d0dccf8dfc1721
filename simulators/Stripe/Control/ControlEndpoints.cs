using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Control;

/// <summary>
/// The simulator's own endpoints under <c>/_sim</c>: no key is needed, no limit and no fault applies.
/// </summary>
internal static class ControlEndpoints
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Answers a request below <c>/_sim</c>.</summary>
    public static async Task HandleAsync(HttpContext context, StripeSimulator simulator)
    {
        var parts = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var verb = context.Request.Method + " " + (parts.Length > 1 ? parts[1] : string.Empty);
        try
        {
            await RouteAsync(context, simulator, verb, parts);
        }
        catch (StripeException refusal)
        {
            await AnswerAsync(context, refusal.Status, refusal.Body("req_sim"));
        }
        catch (Exception wrong) when (wrong is JsonException or FormatException or InvalidOperationException)
        {
            await AnswerAsync(context, 400, new JsonObject { ["error"] = wrong.Message });
        }
    }

    private static Task RouteAsync(HttpContext context, StripeSimulator simulator, string verb, string[] parts) =>
        verb switch
        {
            "GET faults" => AnswerAsync(context, 200, simulator.Faults),
            "POST faults" => AddFaultsAsync(context, simulator),
            "DELETE faults" => RunAsync(context, simulator.ClearFaults),
            "GET stats" => AnswerAsync(
                context, 200, StatisticsReport.Of(simulator, context.Request.Query.ContainsKey("objects"))),
            "POST reset" => RunAsync(context, simulator.Reset),
            "GET clock" => AnswerAsync(context, 200, Clock(simulator)),
            "POST clock" => MoveClockAsync(context, simulator),
            "POST seed" => SeedAsync(context, simulator),
            "GET objects" => ObjectDump.WriteAsync(context, simulator, parts.Length > 2 ? parts[2] : null),
            "POST dashboard" or "DELETE dashboard" => DashboardAsync(context, simulator, parts),
            "POST webhooks" => AddWebhookAsync(context, simulator),
            "POST events" when parts.Length > 2 => RunAsync(context, () => simulator.ResendEvent(parts[2])),
            _ => AnswerAsync(context, 404, new JsonObject { ["error"] = $"There is no {verb} below /_sim." }),
        };

    private static JsonObject Clock(StripeSimulator simulator) => new()
    {
        ["now"] = simulator.Now.ToUnixTimeSeconds(),
        ["utc"] = simulator.Now.ToString("O"),
    };

    private static async Task AddFaultsAsync(HttpContext context, StripeSimulator simulator)
    {
        using var document = await JsonDocument.ParseAsync(context.Request.Body);
        var root = document.RootElement;
        var rules = root.ValueKind == JsonValueKind.Array
            ? root.Deserialize<FaultRule[]>(Web)!
            : [root.Deserialize<FaultRule>(Web)!];
        foreach (var rule in rules)
        {
            simulator.AddFault(rule);
        }

        await AnswerAsync(context, 200, simulator.Faults);
    }

    private static async Task MoveClockAsync(HttpContext context, StripeSimulator simulator)
    {
        var body = await JsonSerializer.DeserializeAsync<ClockMove>(context.Request.Body, Web)
            ?? throw new FormatException("A body such as {\"advance_seconds\":60} is needed.");
        simulator.SetClock(
            body.NowSeconds is { } now
                ? DateTimeOffset.FromUnixTimeSeconds(now)
                : simulator.Now.AddSeconds(body.AdvanceSeconds),
            body.Frozen);
        await AnswerAsync(context, 200, Clock(simulator));
    }

    private static async Task SeedAsync(HttpContext context, StripeSimulator simulator)
    {
        var query = context.Request.Query;
        var events = query["events"] == "true";
        int count;
        if (int.TryParse(query["count"], out var wanted))
        {
            count = simulator.SeedCustomers(wanted, events);
        }
        else
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var type = query["type"] is [{ Length: > 0 } given, ..] ? given : "customers";
            count = simulator.Seed(body.GetBuffer().AsMemory(0, (int)body.Length), type, events);
        }

        await AnswerAsync(context, 200, new JsonObject { ["seeded"] = count });
    }

    private static async Task DashboardAsync(HttpContext context, StripeSimulator simulator, string[] parts)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var form = await reader.ReadToEndAsync();
        var path = "/v1/" + string.Join('/', parts.Skip(2));
        var nullRequest = context.Request.Query["request"] == "null";
        var body = simulator.EditOnDashboard(context.Request.Method, path, form, nullRequest);
        await AnswerAsync(context, 200, body);
    }

    private static async Task AddWebhookAsync(HttpContext context, StripeSimulator simulator)
    {
        var body = await JsonSerializer.DeserializeAsync<WebhookWish>(context.Request.Body, Web);
        if (body?.Url is null || !Uri.TryCreate(body.Url, UriKind.Absolute, out var url))
        {
            throw new FormatException("A body such as {\"url\":\"http://…\",\"secrets\":[\"whsec_…\"]} is needed.");
        }

        var id = simulator.AddWebhook(url, body.Secrets ?? [], body.EnabledEvents);
        await AnswerAsync(context, 200, new JsonObject
        {
            ["id"] = id,
            ["secrets"] = new JsonArray([.. simulator.SecretsOf(id).Select(static text => JsonValue.Create(text))]),
        });
    }

    private static Task RunAsync(HttpContext context, Action work)
    {
        work();
        return AnswerAsync(context, 200, new JsonObject { ["ok"] = true });
    }

    private static Task AnswerAsync<T>(HttpContext context, int status, T value) =>
        AnswerAsync(context, status, value is JsonNode node
            ? Json.Bytes(node)
            : JsonSerializer.SerializeToUtf8Bytes(value, Web));

    private static async Task AnswerAsync(HttpContext context, int status, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
    }

    private sealed record ClockMove
    {
        [System.Text.Json.Serialization.JsonPropertyName("now")]
        public long? NowSeconds { get; init; }

        [System.Text.Json.Serialization.JsonPropertyName("advance_seconds")]
        public double AdvanceSeconds { get; init; }

        public bool Frozen { get; init; }
    }

    private sealed record WebhookWish
    {
        public string? Url { get; init; }

        public string[]? Secrets { get; init; }

        [System.Text.Json.Serialization.JsonPropertyName("enabled_events")]
        public string[]? EnabledEvents { get; init; }
    }
}
