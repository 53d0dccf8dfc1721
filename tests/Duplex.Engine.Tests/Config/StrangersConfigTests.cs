using Duplex.Engine.Config;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Config;

/// <summary>What people write who have not read the reference, and the fix that they are told.</summary>
public sealed class StrangersConfigTests
{
    [Theory]
    [InlineData("database: shop", "databas: shop", "config.unknown_member", "Did you mean database?")]
    [InlineData("database: shop", "data: shop", "config.unknown_member", "Did you mean database?")]
    [InlineData("database: shop", "database: \"\"", "config.bad_value", "The database.")]
    [InlineData("port: 5433", "port: abc", "config.bad_value", "For example port: 5432")]
    [InlineData("connector: postgres", "Connector: postgres", "config.unknown_member", "Did you mean connector?")]
    [InlineData("connection: shop,", "connection: shopp,", "config.unknown_connection", "Did you mean shop?")]
    [InlineData("${env:SHOP_PASSWORD}", "${vault:shop}", "config.reference", "Write ${env:NAME} or ${secret:name}.")]
    [InlineData("- { a: phone, b: phone }", "- phone", "config.bad_value", "Write - { a: name, b: name }.")]
    [InlineData("control_plane: 127.0.0.1:8000", "control_plane: 99999", "config.bad_value",
        "For example 127.0.0.1:8000, or 0.0.0.0:8000 for every network.")]
    public void A_wrong_line_is_an_error_with_its_fix(string right, string wrong, string code, string fix)
    {
        ConfigSamples.Customers.ShouldContain(right);
        var result = ConfigSamples.Load(ConfigSamples.Customers.Replace(right, wrong));

        result.Model.ShouldBeNull();
        result.Findings.ShouldContain(f => f.Severity == FindingSeverity.Error && f.Code == code && f.Suggestion == fix,
            string.Join('\n', result.Findings));
    }

    [Fact]
    public void A_variable_as_a_shell_writes_it_is_taken_literally_with_a_warning()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers.Replace("\"${env:SHOP_PASSWORD}\"", "$SHOP_PASSWORD"));

        result.Model.ShouldNotBeNull();
        var warning = result.Findings.ShouldHaveSingleItem();
        warning.Severity.ShouldBe(FindingSeverity.Warning);
        warning.Suggestion.ShouldBe("For an environment variable write ${env:NAME}.");
    }

    [Fact]
    public void Where_no_connection_can_be_read_the_sides_are_not_told_to_go()
    {
        var result = ConfigSamples.Load(ConfigSamples.Customers.Replace("connections:", "conections:"));

        result.Findings.ShouldContain(static f => f.Suggestion == "Did you mean connections?");
        result.Findings.Where(static f => f.Code == "config.unknown_connection")
            .ShouldAllBe(static f => f.Suggestion == "Add it under connections:.");
    }
}
