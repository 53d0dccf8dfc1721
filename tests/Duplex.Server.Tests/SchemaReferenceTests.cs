using System.Net;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>Schemas that refer to each other, as files and through the API.</summary>
public sealed class SchemaReferenceTests
{
    private const string Name =
        """{"$id":"https://zoo.example/name","$defs":{"short":{"$anchor":"short","type":"string","maxLength":5}}}""";

    private const string WiderName =
        """{"$id":"https://zoo.example/name","$defs":{"short":{"$anchor":"short","type":"string","maxLength":9}}}""";

    [Fact]
    public async Task Files_refer_to_each_other_and_to_those_in_folders_below()
    {
        await using var server = await StartAsync(
            ("internal/users.json", Users("""{"$ref":"parts/name.json#/$defs/short"}""", """{"$ref":"./key.json"}""")),
            ("internal/key.json", """{"$ref":"users.json#/$defs/key"}"""),
            ("internal/parts/name.json", Name.Replace("https://zoo.example/name", "https://zoo.example/parts/name")),
            ("internal/orders.json", Users("""{"$ref":"https://zoo.example/parts/name#short"}""", "{}")));
        (await server.PostAsync(1, "Ada")).ShouldBe(HttpStatusCode.OK);
        (await server.PostAsync(1, "Ada Lovelace")).ShouldBe(HttpStatusCode.BadRequest);
        server.Host.Engine.Ingest!.Schemas.Tables.ShouldBe(["users", "key", "orders"], ignoreOrder: true);
        server.Host.Engine.Ingest.Schemas.Find("users")!.KeyFields.ShouldBe(["id"], "the key is found behind references too");
        var uses = await server.SendAsync(HttpMethod.Get, "/v1/schemas/internal/users/where-used");
        uses.GetProperty("schemas").EnumerateArray().Select(static s => s.GetString()).ShouldBe(["key"]);
    }

    [Theory]
    [InlineData("adress.json#/$defs/x", "There is no schema 'duplex://schemas/internal/adress.json' here, and nothing is fetched. "
        + "Known are duplex://schemas/internal/parts/name.json, duplex://schemas/internal/users.json, https://zoo.example/name.")]
    [InlineData("../external/zoo/users.json",
        "There is no schema 'duplex://schemas/external/zoo/users.json' here, and nothing is fetched.")]
    [InlineData("parts/name.json#/$defs/none", "There is nothing at '/$defs/none' in the schema.")]
    [InlineData("https://zoo.example/name#none", "There is no anchor 'none' in 'https://zoo.example/name'.")]
    public void A_reference_to_nothing_is_found_with_file_place_and_what_is_known(string reference, string problem)
    {
        var folder = Directory.CreateTempSubdirectory("duplex-refs-").FullName;
        Write(folder, ("internal/users.json", Users($$"""{"$ref":"{{reference}}"}""", "{}")), ("internal/parts/name.json", Name));
        var finding = ConfigLoader.Load("data: ./data\ningest: { schemas: ./schemas }\n", Path.Combine(folder, "duplex.yaml"),
            new ConfigSources { Connectors = ConnectorCatalog.Standard.All }).Findings.ShouldHaveSingleItem();
        (finding.Code, finding.Severity).ShouldBe(("schema.ref_unknown", FindingSeverity.Error));
        finding.Message.ShouldStartWith("internal/users.json/properties/after/properties/name/$ref: ");
        finding.Message.ShouldContain(problem);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_customer_s_files_refer_to_each_other()
    {
        await using var server = await StartAsync("""
            customers:
              zoo: { tables: [ users ] }
            """,
            ("internal/users.json", RegistryServer.UserSchema),
            ("external/zoo/users.json", """{"properties":{"label":{"$ref":"parts/name.json#short"}}}"""),
            ("external/zoo/parts/name.json", """
                {"$schema":"http://json-schema.org/draft-07/schema#",
                 "definitions":{"s":{"$id":"#short","type":"string","maxLength":5}}}
                """),
            ("../mappings/zoo/users.yaml", "rules: [ { a: id, b: userId }, { a: name, b: label } ]"));
        (await server.PostAsync(1, "Ada Lovelace")).ShouldBe(HttpStatusCode.OK);
        (await server.PostAsync(2, "Ada")).ShouldBe(HttpStatusCode.OK);
        (await server.FeedAsync("zoo", 1)).ShouldBe(["""{"userId":2,"label":"Ada"}"""]);
    }

    [Fact]
    public async Task A_posted_schema_keeps_what_it_refers_to_until_it_is_put_again()
    {
        await using var server = await RegistryServer.StartAsync();
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/names", Name);
        var users = Users("""{"$ref":"https://zoo.example/name#short"}""", """{"$ref":"#/$defs/key"}""");
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", users);
        (await server.PostAsync(1, "Ada L.")).ShouldBe(HttpStatusCode.BadRequest);
        (await server.SendAsync(HttpMethod.Get, "/v1/schemas/internal/names/where-used"))
            .GetProperty("schemas")[0].GetString().ShouldBe("users");

        var wider = await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/names", WiderName);
        Codes(wider).ShouldBe(["schema.referred"]);
        for (var round = 0; round < 2; round++)
        {
            (await server.PostAsync(1, "Ada L.")).ShouldBe(HttpStatusCode.BadRequest, "the reference is kept as it was");
            await server.RestartAsync();
        }

        var again = await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", users);
        again.GetProperty("version").GetInt32().ShouldBe(2);
        (await server.PostAsync(1, "Ada L.")).ShouldBe(HttpStatusCode.OK);
        (await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", users)).GetProperty("version").GetInt32().ShouldBe(2);
        await server.RestartAsync();
        (await server.PostAsync(2, "Ada L.")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_a_reference_narrows_is_found_when_the_schema_is_put_again()
    {
        await using var server = await RegistryServer.StartAsync();
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/names", WiderName);
        var users = Users("""{"$ref":"names.json#/$defs/short"}""", "{}");
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", users);
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/names?compatibility=none", Name);
        var refused = await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", users, HttpStatusCode.Conflict);
        refused.GetProperty("code").GetString().ShouldBe("schema.incompatible");
        refused.GetRawText().ShouldContain("maxLength");
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users?compatibility=none", users);
    }

    [Fact]
    public async Task A_customer_s_posted_schemas_refer_to_each_other_and_not_to_another_s()
    {
        await using var server = await RegistryServer.StartAsync();
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/internal/users", RegistryServer.UserSchema);
        await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo", """{"tables":["users","names"]}""");
        await server.SendAsync(HttpMethod.Put, "/v1/customers/ark", """{"tables":["users"]}""");
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/external/zoo/names", Name);
        const string users = """{"properties":{"label":{"$ref":"names.json#short"}}}""";
        await server.SendAsync(HttpMethod.Put, "/v1/schemas/external/zoo/users", users);
        var refused = await server.SendAsync(HttpMethod.Put, "/v1/schemas/external/ark/users", users, HttpStatusCode.BadRequest);
        refused.GetProperty("findings")[0].GetProperty("code").GetString().ShouldBe("schema.ref_unknown");
        (await server.SendAsync(HttpMethod.Get, "/v1/schemas/external/zoo/names/where-used"))
            .GetProperty("schemas")[0].GetString().ShouldBe("users");
        await server.SendAsync(HttpMethod.Put, "/v1/customers/zoo/mappings/users?activate=true",
            "rules: [ { a: id, b: userId }, { a: name, b: label } ]", type: "application/yaml");
        await server.RestartAsync();
        (await server.PostAsync(1, "Ada Lovelace")).ShouldBe(HttpStatusCode.OK);
        (await server.PostAsync(2, "Ada")).ShouldBe(HttpStatusCode.OK);
        (await server.FeedAsync("zoo", 1)).ShouldBe(["""{"userId":2,"label":"Ada"}"""]);
    }

    private static string Users(string name, string key) => $$"""
        {"type":"object","required":["table","primary_key"],"properties":{
          "table":{"type":"string"},"event_type":{"enum":["INSERT","UPDATE","DELETE"]},"primary_key":{{key}},
          "after":{"type":"object","properties":{"name":{{name}} } } },
          "$defs":{"key":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"region":{} } } } }
        """;

    private static IEnumerable<string?> Codes(JsonElement put) =>
        put.GetProperty("findings").EnumerateArray().Select(static f => f.GetProperty("code").GetString());

    private static Task<RegistryServer> StartAsync(params (string Path, string Text)[] files) => StartAsync("", files);

    private static Task<RegistryServer> StartAsync(string section, params (string Path, string Text)[] files) =>
        RegistryServer.StartAsync(section: section, prepare: folder => Write(folder, files));

    private static void Write(string folder, params (string Path, string Text)[] files)
    {
        foreach (var (path, text) in files)
        {
            var file = Path.GetFullPath(Path.Combine(folder, "schemas", path));
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
    }
}
