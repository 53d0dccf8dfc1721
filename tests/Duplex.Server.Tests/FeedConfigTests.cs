using Duplex.Engine.Config;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

/// <summary>The section <c>feed</c> of the configuration.</summary>
public sealed class FeedConfigTests
{
    [Fact]
    public void Without_the_section_feeds_are_in_the_data_directory()
    {
        var result = Load("");
        result.Findings.Where(static f => f.Severity == FindingSeverity.Error).ShouldBeEmpty();
        result.Model!.Feeds.ShouldBeNull();
    }

    [Fact]
    public void DynamoDB_is_read_with_references_replaced_and_never_shown()
    {
        var result = Load("""
            feed:
              dynamodb:
                region: eu-west-1
                endpoint: http://127.0.0.1:4567
                table_prefix: acme-
                access_key: AKIA1
                secret_key: "${env:FEED_KEY}"
            """);
        result.Findings.Where(static f => f.Severity == FindingSeverity.Error).ShouldBeEmpty();
        var feeds = result.Model!.Feeds.ShouldNotBeNull();
        feeds.ShouldBe(new DynamoDbFeedModel(
            "eu-west-1", new Uri("http://127.0.0.1:4567"), "acme-", "AKIA1", "value of FEED_KEY"));
        feeds.ToString().ShouldNotContain("FEED_KEY");
        Load("feed: { dynamodb: {} }").Model!.Feeds.ShouldBe(new DynamoDbFeedModel(null, null, "duplex_", null, null));
    }

    [Theory]
    [InlineData("feed: {}", "dynamodb")]
    [InlineData("feed: { dynamo: {} }", "dynamo")]
    [InlineData("feed: here", "feed")]
    [InlineData("feed: { dynamodb: { endpoint: \"127.0.0.1:4567\" } }", "endpoint")]
    [InlineData("feed: { dynamodb: { table_prefix: \"a b\" } }", "table_prefix")]
    [InlineData("feed: { dynamodb: { access_key: AKIA1 } }", "secret_key")]
    [InlineData("feed: { dynamodb: { regions: x } }", "regions")]
    public void What_is_wrong_is_named_with_its_fix(string yaml, string word)
    {
        var result = Load(yaml);
        result.Model.ShouldBeNull();
        result.Findings.ShouldContain(f => f.Message.Contains(word) && f.Suggestion != null);
    }

    private static ConfigResult Load(string feed) => ConfigLoader.Load(
        $$"""
        connections:
          shop: { connector: stripe, api_key: sk_test_1 }
          billing: { connector: stripe, api_key: sk_test_2 }
        syncs:
          customers:
            a: { connection: shop, stream: customers }
            b: { connection: billing, stream: customers }
            mapping: [ { a: name, b: name } ]
        {{feed}}
        """,
        "duplex.yaml",
        new ConfigSources
        {
            Connectors = ConnectorCatalog.Standard.All,
            Environment = static name => $"value of {name}",
        });
}
