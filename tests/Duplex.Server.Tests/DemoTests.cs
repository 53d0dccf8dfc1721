using Duplex.Simulators.Postgres;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

[Collection("Demo")]
public sealed class DemoTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("duplex-demo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task The_demo_moves_records_both_ways_between_PostgreSQL_and_Stripe()
    {
        if (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Skip.If(PrivatePostgres.Unavailable is not null, PrivatePostgres.Unavailable);
        }

        var outcome = await CommandLine.RunAsync("demo", "--once", "--json", "--folder", _folder);
        outcome.Code.ShouldBe(0, outcome.Output + outcome.Errors);
        var directions = outcome.Json.GetProperty("moves").EnumerateArray()
            .Select(static m => m.GetProperty("direction").GetString()).Distinct();
        directions.ShouldBe(["PostgreSQL → Stripe", "Stripe → PostgreSQL", "both at once"]);
        outcome.Json.GetProperty("status").GetProperty("ready").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Without_PostgreSQL_the_demo_moves_records_between_two_Stripe_accounts()
    {
        var outcome = await CommandLine.RunAsync("demo", "--rest-only", "--once", "--json", "--folder", _folder);
        outcome.Code.ShouldBe(0, outcome.Output + outcome.Errors);
        outcome.Json.GetProperty("moves").GetArrayLength().ShouldBe(4);
    }

    [Fact]
    public async Task An_edited_configuration_is_kept_and_a_generated_one_is_not()
    {
        var config = Path.Combine(_folder, "duplex.yaml");
        await CommandLine.RunAsync("demo", "--rest-only", "--once", "--json", "--folder", _folder);
        var generated = await File.ReadAllTextAsync(config);
        (await CommandLine.RunAsync("validate", "--config", config)).Code.ShouldBe(0, "other terminals can use it");
        await File.WriteAllTextAsync(config,
            generated.Replace("      - { a: name, b: name }\n", "", StringComparison.Ordinal) + "oops: 1\n");
        var outcome = await CommandLine.RunAsync("demo", "--rest-only", "--once", "--json", "--folder", _folder);
        outcome.Code.ShouldBe(2, outcome.Output);
        outcome.Json.GetProperty("findings").EnumerateArray()
            .ShouldContain(static f => f.GetProperty("path").GetString() == "/oops");
        File.Delete(config);
        (await CommandLine.RunAsync("demo", "--rest-only", "--once", "--json", "--folder", _folder)).Code.ShouldBe(0);
    }
}
