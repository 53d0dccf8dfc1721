using Shouldly;
using Xunit;

namespace Duplex.Engine.Tests.Config;

/// <summary>Where the change log is kept.</summary>
public sealed class LogSectionTests
{
    [Fact]
    public void A_log_on_kafka_is_what_the_file_says()
    {
        var log = Load("""
            log:
              kafka:
                bootstrap: "one:9092,[::1]:9093"
                prefix: acme.duplex
                partitions: 6
                replicas: 3
                compression: zstd
                retention: broker
                append_within: 5s
                security: sasl_tls
                mechanism: scram-sha-512
                username: duplex
                password: "${env:SHOP_PASSWORD}"
                properties: { "socket.keepalive.enable": true }
            """).Model.ShouldNotBeNull().Log;

        log.Partitions.ShouldBe(6);
        var kafka = log.Kafka.ShouldNotBeNull();
        kafka.Bootstrap.ShouldBe("one:9092,[::1]:9093");
        kafka.Prefix.ShouldBe("acme.duplex");
        kafka.Replicas.ShouldBe((short)3);
        kafka.Compression.ShouldBe("zstd");
        kafka.BrokerRetention.ShouldBeTrue();
        kafka.AppendWithin.ShouldBe(TimeSpan.FromSeconds(5));
        kafka.Properties["security.protocol"].ShouldBe("sasl_ssl");
        kafka.Properties["sasl.mechanism"].ShouldBe("SCRAM-SHA-512");
        kafka.Properties["sasl.username"].ShouldBe("duplex");
        kafka.Properties["sasl.password"].ShouldNotContain("env:");
        kafka.Properties["socket.keepalive.enable"].ShouldBe("true");
    }

    [Fact]
    public void Without_it_the_log_is_in_the_data_directory() =>
        Load("").Model.ShouldNotBeNull().Log.Kafka.ShouldBeNull();

    [Theory]
    [InlineData("log: { kafka: { prefix: a } }", "config.missing")]
    [InlineData("log: { }", "config.missing")]
    [InlineData("log: { kafka: { bootstrap: localhost } }", "config.bad_value")]
    [InlineData("log: { kafka: { bootstrap: \"a:9092,b\" } }", "config.bad_value")]
    [InlineData("log: { kafka: { bootstrap: \"a:9092\", prefix: \"a b\" } }", "config.bad_value")]
    [InlineData("log: { kafka: { bootstrap: \"a:9092\", partitions: 0 } }", "config.bad_value")]
    [InlineData("log: { kafka: { bootstrap: \"a:9092\", bootstap: b } }", "config.unknown_member")]
    [InlineData("log: { kafka: { bootstrap: \"a:9092\", properties: { acks: 0 } } }", "config.bad_value")]
    [InlineData("log: { kafka: { bootstrap: \"a:9092\", properties: { transactional.id: x } } }", "config.bad_value")]
    public void What_does_not_fit_is_an_error(string log, string code)
    {
        var result = Load(log);

        result.Model.ShouldBeNull();
        result.Findings.ShouldContain(f => f.Code == code && f.Location != null);
    }

    [Theory]
    [InlineData("", "{ }", 3)]
    [InlineData("partitions: 6", "{ }", 6)]
    [InlineData("partitions: 6", "", 6)]
    [InlineData("partitions: 6", "{ partitions: 4 }", 4)]
    public void Topics_of_posted_tables_have_the_partitions_of_their_section_or_of_the_logs(string log, string ingest, int partitions) =>
        Load($"log: {{ kafka: {{ bootstrap: \"a:9092\", {log} }} }}\ningest: {ingest}").Model.ShouldNotBeNull()
            .Ingest.ShouldNotBeNull().Partitions.ShouldBe(partitions);

    private static Duplex.Engine.Config.ConfigResult Load(string log) =>
        ConfigSamples.Load($"{ConfigSamples.Customers}\n{log}\n");
}
