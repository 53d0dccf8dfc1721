using Duplex.Engine.Config;
using Duplex.Engine.Push;
using Duplex.Sdk;
using Shouldly;
using Xunit;

namespace Duplex.Engine.Tests.Config;

/// <summary>Where a customer's feed is pushed to.</summary>
public sealed class PushSectionTests
{
    private const string Log = "log: { kafka: { bootstrap: \"one:9092\", prefix: acme, compression: zstd } }\n";

    [Fact]
    public void A_topic_is_on_the_brokers_of_the_log_unless_it_names_others()
    {
        var push = Load(Log, "{ topic: zoo, partitions: 6, rate: 50, disable_after: 1h }").Model.ShouldNotBeNull().Customers["zoo"].Push!;
        (push.Topic!.Name, push.Topic.Partitions, push.Topic.Kafka.Bootstrap, push.Topic.Kafka.Compression)
            .ShouldBe(("zoo", 6, "one:9092", "zstd"));
        (push.Url, push.Secrets.Count, push.RatePerSecond, push.DisableAfter).ShouldBe((null, 0, 50d, TimeSpan.FromHours(1)));
        push.Parallelism.ShouldBe(256, "a record for a broker is a part of a batch");

        var own = Load(Log, """{ topic: acme.zoo2, kafka: { bootstrap: "two:9093", security: tls, ca: ca.pem } }""");
        Errors(own).Select(static f => f.Path).ShouldBe(["/customers/zoo/push/topic"], "the log's names stay the log's");
        var elsewhere = Load("", """{ topic: zoo, kafka: { bootstrap: "two:9093", security: tls, ca: ca.pem } }""").Model!
            .Customers["zoo"].Push!.Topic!;
        (elsewhere.Kafka.Bootstrap, elsewhere.Kafka.Properties["security.protocol"]).ShouldBe(("two:9093", "ssl"));
        Same(Log).ShouldBeTrue("customers on the same brokers share a producer");
    }

    [Theory]
    [InlineData("{ topic: zoo, secret: whsec_1, allow: [ 10.0.0.1 ] }", "/secret config.unknown_member", "/allow config.unknown_member")]
    [InlineData("{ topic: \"a b\", partitions: 0, timeout: 1ms }", "/topic config.bad_value", "/partitions config.bad_value", "/timeout config.bad_value")]
    [InlineData("{ topic: __consumer_offsets }", "/topic config.bad_value")]
    [InlineData("{ topic: acme.users }", "/topic config.bad_value")]
    [InlineData("{ topic: zoo, kafka: { bootstrap: nowhere, acks: 1 } }", "/kafka/bootstrap config.bad_value", "/kafka/acks config.unknown_member")]
    [InlineData("{ topic: [ zoo ] }", "/topic config.bad_value")]
    [InlineData("{ partitions: 3 }", " config.missing", " config.bad_value", "/partitions config.unknown_member")]
    public void Every_fault_is_told_at_its_member(string push, params string[] faults)
    {
        var result = Load(Log, push);
        result.Model.ShouldBeNull();
        Errors(result).Select(static f => $"{f.Path!["/customers/zoo/push".Length..]} {f.Code}").Distinct().ShouldBe(faults, ignoreOrder: true);
        Errors(result).ShouldAllBe(static f => f.Suggestion != null);
    }

    [Fact]
    public void Without_brokers_there_is_no_topic() =>
        Errors(Load("", "{ topic: zoo }")).ShouldHaveSingleItem().Message.ShouldBe("There are no brokers for the topic.");

    private static List<Finding> Errors(ConfigResult result) =>
        [.. result.Findings.Where(static f => f.Severity == FindingSeverity.Error)];

    private static bool Same(string log)
    {
        var customers = ConfigSamples.Load(Yaml(log, "{ topic: zoo }") + "  ape: { tables: [ ], push: { topic: ape } }\n").Model!.Customers;
        return ReferenceEquals(Kafka(customers["zoo"].Push!), Kafka(customers["ape"].Push!));

        static KafkaModel Kafka(PushModel push) => push.Topic!.Kafka;
    }

    private static ConfigResult Load(string log, string push) => ConfigSamples.Load(Yaml(log, push));

    private static string Yaml(string log, string push) => $$"""
        {{log}}ingest: { schemas: ./schemas }
        customers:
          zoo: { tables: [ ], push: {{push}} }

        """;
}
