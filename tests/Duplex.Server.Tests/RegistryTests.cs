using System.Net;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>Customers, mappings and schemas through the API.</summary>
public sealed class RegistryTests
{
    private const string Mapping = """
        rules:
          - { a: id, b: userId }
          - { a: name, b: label }
        """;

    [Fact]
    public async Task Another_customers_schemas_and_mappings_work_from_the_post_to_the_feed_and_over_a_restart()
    {
        await using var server = await RegistryServer.StartAsync();
        (await server.PostAsync(1, "too early")).ShouldBe(HttpStatusCode.BadRequest);
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema);
        var made = await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo", """{"tables":["users"]}""");
        made.GetProperty("tables")[0].GetProperty("state").GetString().ShouldBe("waiting");
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/external/zoo/users",
            """{"type":"object","required":["userId","label"],"properties":{"label":{"type":"string","minLength":2}}}""");
        var put = await server.SendAsync(
            HttpMethod.Put, "/v1/customers/zoo/mappings/users?activate=true", Mapping, type: "application/yaml");
        (put.GetProperty("version").GetInt32(), put.GetProperty("active").GetBoolean()).ShouldBe((1, true));
        put.GetProperty("effective").GetArrayLength().ShouldBe(3);
        (await server.PostAsync(1, "Ada")).ShouldBe(HttpStatusCode.OK);
        (await server.FeedAsync("zoo", 1)).ShouldBe(["""{"userId":1,"label":"Ada"}"""]);
        await server.RestartAsync();
        (await server.PostAsync(2, "B")).ShouldBe(HttpStatusCode.OK);
        (await server.PostAsync(3, "Cleo")).ShouldBe(HttpStatusCode.OK);
        (await server.FeedAsync("zoo", 2))[1].ShouldBe("""{"userId":3,"label":"Cleo"}""");
        await RunningServer.UntilAsync(async () => (await server.SendAsync(HttpMethod.Get, "/v1/customers/zoo"))
            .GetProperty("progress").GetProperty("dead_letters").GetInt64() == 1, "the refused record is parked");
        var customer = await server.SendAsync(HttpMethod.Get, "/v1/customers/zoo");
        customer.GetProperty("origin").GetString().ShouldBe("api");
        customer.GetProperty("tables")[0].GetProperty("mapping").GetProperty("version").GetInt32().ShouldBe(1);
        (await server.SendAsync(HttpMethod.Get, "/v1/schemas")).GetProperty("items").GetArrayLength().ShouldBe(2);
        (await server.SendAsync(HttpMethod.Get, "/v1/schemas/internal/users/where-used"))
            .GetProperty("customers")[0].GetProperty("customer").GetString().ShouldBe("zoo");
        (await server.SendAsync(HttpMethod.Get, "/v1/customers/zoo/mappings/users")).GetProperty("document").GetString()
            .ShouldBe(Mapping);
    }

    [Fact]
    public async Task A_preview_shows_both_ends_checks_and_changes_nothing()
    {
        await using var server = await RegistryServer.StartAsync();
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo", """{"tables":["users"]}""");
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/external/zoo/users",
            """{"type":"object","properties":{"label":{"type":"string","minLength":2}}}""");
        var before = await server.Host.Engine.Parts.Store.ListValuesAsync("", default);
        var preview = await server.SendAsync(HttpMethod.Post, "/v1/customers/zoo/mappings/users/preview", $$"""
            {"document":{{JsonSerializer.Serialize(Mapping + "\nwhen: name != 'out'")}},"events":[
              {"table":"users","event_type":"INSERT","primary_key":{"id":1},"after":{"id":1,"name":"Ada"} },
              {"table":"users","event_type":"INSERT","primary_key":{"id":2},"after":{"id":2,"name":"B"} },
              {"table":"users","event_type":"INSERT","primary_key":{"id":"x"},"after":{"id":3,"name":"C"} },
              {"table":"users","event_type":"INSERT","primary_key":{"id":4},"after":{"id":4,"name":"out"} },
              {"table":"ghosts"}, 7 ]}
            """);
        var items = preview.GetProperty("items");
        items[0].GetProperty("output").GetRawText().ShouldBe("""{"userId":1,"label":"Ada"}""");
        items[1].GetProperty("error").GetProperty("message").GetString()!.ShouldStartWith("Output validation failed for zoo users");
        items[2].GetProperty("error").GetProperty("message").GetString()!.ShouldStartWith("Schema validation failed");
        items[3].GetProperty("left_out").GetBoolean().ShouldBeTrue();
        items[4].TryGetProperty("error", out _).ShouldBeTrue();
        items[5].TryGetProperty("error", out _).ShouldBeTrue();
        (await server.Host.Engine.Parts.Store.ListValuesAsync("", default)).ShouldBe(before);
        (await server.Host.Engine.Parts.Log.DescribeAsync(default)).ShouldAllBe(static p => p.NextOffset == p.FirstOffset);
        await server.SendAsync(HttpMethod.Post, "/v1/customers/zoo/mappings/users/preview",
            """{"events":[{"table":"users"}]}""", HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Versions_are_planned_and_activated()
    {
        await using var server = await RegistryServer.StartAsync();
        await RegistryServer.SeedAsync(server.Host);
        await server.PostAsync(1, "Ada");
        (await server.FeedAsync("customer-c", 1))[0].ShouldBe("""{"userId":1}""");
        const string path = "/v1/customers/customer-c/mappings/users";
        var put = await server.SendAsync(HttpMethod.Put, path, Mapping, type: "application/yaml");
        (put.GetProperty("version").GetInt32(), put.GetProperty("active").GetBoolean()).ShouldBe((2, false));
        (await server.SendAsync(HttpMethod.Put, path, Mapping, type: "application/yaml")).GetProperty("version").GetInt32().ShouldBe(2);
        var plan = await server.SendAsync(HttpMethod.Post, $"{path}/plan", """{"version":2}""");
        (plan.GetProperty("changes").GetInt32(), plan.GetProperty("changed").GetInt32()).ShouldBe((1, 1));
        plan.GetProperty("samples")[0].GetProperty("candidate").GetProperty("output").GetRawText()
            .ShouldBe("""{"userId":1,"label":"Ada"}""");
        await server.SendAsync(HttpMethod.Post, $"{path}/activate", """{"version":2}""");
        await server.PostAsync(2, "Bob");
        (await server.FeedAsync("customer-c", 2))[1].ShouldBe("""{"userId":2,"label":"Bob"}""");
        (await server.SendAsync(HttpMethod.Get, $"{path}/versions")).GetProperty("items").EnumerateArray()
            .Select(static v => v.GetProperty("active").GetBoolean()).ShouldBe([false, true]);
        var replay = await server.SendAsync(HttpMethod.Post, "/v1/customers/customer-c/replay",
            """{"table":"users","key":"1"}""", HttpStatusCode.Accepted);
        (await server.FeedAsync("customer-c", 3))[2].ShouldBe("""{"userId":1,"label":"Ada"}""");
        await RunningServer.UntilAsync(async () => (await server.SendAsync(HttpMethod.Get, "/v1/customers/customer-c/replay"))
            .GetProperty("state").GetString() == "done", "the replay is done");
        replay.GetProperty("id").GetString()!.Length.ShouldBe(8);
    }

    [Theory]
    [InlineData("PUT", "/v1/customers/zoo", """{"tables":"users","start":"soon","colour":1}""", 400, "customer.invalid", 3)]
    [InlineData("PUT", "/v1/customers/.zoo", """{"tables":["users"]}""", 400, "customer.invalid", 1)]
    [InlineData("PUT", "/v1/customers/zoo", "", 400, "request.unreadable", 0)]
    [InlineData("PUT", "/v1/customers/nobody/mappings/users", "rules: []", 404, "request.unknown_customer", 0)]
    [InlineData("PUT", "/v1/customers/customer-c/mappings/orders", "rules: [ { a: id, b: id } ]", 404, "request.unknown_table", 0)]
    [InlineData("PUT", "/v1/customers/customer-c/mappings/users", "rules: [ { a: id, b: id, via: nothing }, { c: 1 } ]\nwhen: '(('", 400, "mapping.invalid", 3)]
    [InlineData("PUT", "/v1/customers/customer-c/mappings/users", "{", 400, "mapping.invalid", 1)]
    [InlineData("POST", "/v1/customers/customer-c/mappings/users/activate", """{"version":9}""", 404, "request.unknown_version", 0)]
    [InlineData("POST", "/v1/customers/customer-c/mappings/users/activate", "{}", 400, "request.bad_value", 0)]
    [InlineData("POST", "/v1/customers/customer-c/mappings/users/plan", """{"version":1,"changes":0}""", 400, "request.bad_value", 0)]
    [InlineData("PUT", "/v1/schemas/internal/users", """{"type":"objekt"}""", 400, "schema.invalid", 1)]
    [InlineData("PUT", "/v1/schemas/internal/users", """{"type":"object","required":["x"]}""", 409, "schema.incompatible", 1)]
    [InlineData("PUT", "/v1/schemas/internal/users?compatibility=forward", "{}", 400, "request.bad_value", 0)]
    [InlineData("PUT", "/v1/schemas/external/customer-c/users", "[]", 400, "schema.invalid", 1)]
    [InlineData("POST", "/v1/customers/customer-c/replay", """{"offsets":[{"partition":0}]}""", 400, "request.bad_value", 0)]
    [InlineData("POST", "/v1/customers/customer-c/mappings/users/preview", """{"mapping":{},"events":[]}""", 400, "request.unknown_member", 0)]
    [InlineData("POST", "/v1/customers/customer-c/replay", """{"tables":"users"}""", 400, "request.unknown_member", 0)]
    [InlineData("GET", "/v1/schemas/internal/ghosts", null, 404, "request.unknown_schema", 0)]
    public async Task What_is_wrong_is_refused_with_every_finding_and_leaves_nothing_behind(
        string method, string path, string? body, int status, string code, int findings)
    {
        await using var server = await RegistryServer.StartAsync();
        await RegistryServer.SeedAsync(server.Host);
        var before = await server.Host.Engine.Parts.Store.ListValuesAsync("", default);
        var problem = await server.SendAsync(new HttpMethod(method), path, body, (HttpStatusCode)status);
        problem.GetProperty("code").GetString().ShouldBe(code);
        var found = problem.TryGetProperty("findings", out var list) ? list.GetArrayLength() : 0;
        found.ShouldBeGreaterThanOrEqualTo(findings);
        (found > 0).ShouldBe(findings > 0);
        (await server.Host.Engine.Parts.Store.ListValuesAsync("", default)).ShouldBe(before);
    }

    [Fact]
    public async Task What_a_mapping_writes_and_its_schema_does_not_take_is_told_before_a_record_shows_it()
    {
        await using var server = await RegistryServer.StartAsync();
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo", """{"tables":["users"]}""");
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/external/zoo/users", """
            {"$ref":"#/$defs/user","$defs":{"user":{"type":"object","required":["userId","born","cf_size"],"additionalProperties":false,
            "properties":{"userId":{},"born":{},"cf_size":{},"address":{"additionalProperties":false,"properties":{"city":{}}}}}}}
            """);
        var put = await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo/mappings/users?activate=true", """
            rules:
              - { a: id, b: userId }
              - { a: name, b: label }
              - { a: city, b: address.town }
              - { a: "cf_*", b: "cf_*" }
            """, type: "application/yaml");
        put.GetProperty("findings").EnumerateArray()
            .Select(static f => (f.GetProperty("code").GetString(), f.GetProperty("message").GetString()!.Split(' ')[1])).ShouldBe(
            [("mapping.unknown_field", "label"), ("mapping.unknown_field", "address.town"), ("mapping.required_unmapped", "The")],
            ignoreOrder: true);
        var schema = await server.SendAsync(HttpMethod.Put, "/v1/schemas/external/zoo/users?compatibility=none",
            """{"type":"object","required":["userId","town"]}""");
        schema.GetProperty("findings")[0].GetProperty("message").GetString()!.ShouldContain("town");
        schema.GetProperty("findings").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task The_status_and_the_metrics_show_what_was_posted_and_how_far_customers_are()
    {
        await using var server = await RegistryServer.StartAsync(keys: true);
        await RegistryServer.SeedAsync(server.Host);
        server.Data.DefaultRequestHeaders.Authorization = new("Bearer", RunningServer.OperatorKey);
        await server.PostAsync(1, "Ada");
        await server.Data.PostAsync("/sync", new StringContent("{"));
        await server.Data.PostAsync("/sync/batch", new StringContent("""
            [{"table":"users","event_type":"INSERT","primary_key":{"id":2},"after":{"id":2},"event_id":"e1"},
             {"table":"users","event_type":"INSERT","primary_key":{"id":2},"after":{"id":2},"event_id":"e1"},{"table":"nothing"}]
            """));
        await server.FeedAsync("customer-c", 2);
        await RunningServer.UntilAsync(async () =>
        {
            var status = await server.SendAsync(HttpMethod.Get, "/v1/status", key: RunningServer.OperatorKey);
            return status.GetProperty("customers")[0].GetProperty("progress").GetProperty("last_offset").GetInt64() == 2
                && status.GetProperty("ingest").GetRawText() == """{"tables":1,"taken":2,"repeated":1,"refused":2}""";
        }, "the status shows it");
        var hidden = await server.SendAsync(HttpMethod.Get, "/v1/status", key: RunningServer.OtherTenantKey);
        (hidden.GetProperty("customers").GetArrayLength(), hidden.TryGetProperty("ingest", out _)).ShouldBe((0, false));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new("Bearer", RunningServer.OperatorKey);
        using var response = await server.Control.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        text.ShouldContain("duplex_ingest_events_total{outcome=\"taken\"} 2\n");
        text.ShouldContain("duplex_ingest_events_total{outcome=\"refused\"} 2\n");
        text.ShouldContain("duplex_feed_last_offset{customer=\"default/customer-c\"} 2\n");
    }

    [Fact]
    public async Task A_tenants_key_sees_and_makes_its_own_customers_only()
    {
        await using var server = await RegistryServer.StartAsync(keys: true);
        const string body = """{"tables":["users"]}""";
        await server.SendAsync(HttpMethod.Put, "/v1/customers/mine", body, key: RunningServer.OtherTenantKey);
        (await server.SendAsync(HttpMethod.Get, "/v1/customers/mine", key: RunningServer.OperatorKey))
            .GetProperty("tenant").GetString().ShouldBe("globex");
        await server.SendAsync(HttpMethod.Get, "/v1/customers/mine", null, HttpStatusCode.NotFound, key: RunningServer.ViewerKey);
        (await server.SendAsync(HttpMethod.Get, "/v1/customers", key: RunningServer.ViewerKey))
            .GetProperty("items").GetArrayLength().ShouldBe(0);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/other", """{"tables":["users"],"tenant":"acme"}""",
            HttpStatusCode.Forbidden, key: RunningServer.OtherTenantKey);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/other", body, HttpStatusCode.Forbidden, key: RunningServer.ViewerKey);
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema,
            HttpStatusCode.Forbidden, key: RunningServer.OtherTenantKey);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/ours", body, key: RunningServer.OperatorKey);
        await server.SendAsync(HttpMethod.Delete, "/v1/customers/ours", null, HttpStatusCode.NotFound, key: RunningServer.OtherTenantKey);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/ours", body, HttpStatusCode.Conflict, key: RunningServer.OtherTenantKey);
        await server.SendAsync(HttpMethod.Delete, "/v1/customers/ours", key: RunningServer.OperatorKey);
    }
}
