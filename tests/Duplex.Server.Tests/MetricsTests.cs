using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using Duplex.Server.Metrics;
using Shouldly;
using Xunit;

namespace Duplex.Server.Tests;

public sealed class MetricsTests
{
    [Fact]
    public void Counters_add_up_by_their_labels()
    {
        using var exposition = new MeterExposition();
        using var meter = new Meter("Duplex.Tests.Counters");
        var counter = meter.CreateCounter<long>("tests.parcels", "{parcel}", "Parcels.");
        counter.Add(2, new KeyValuePair<string, object?>("to", "b\"\\\n"));
        counter.Add(3, new KeyValuePair<string, object?>("to", "b\"\\\n"));
        counter.Add(1);
        var text = exposition.Write();
        text.ShouldContain("# HELP tests_parcels_total Parcels.\n# TYPE tests_parcels_total counter\n");
        text.ShouldContain("tests_parcels_total 1\n");
        text.ShouldContain("""tests_parcels_total{to="b\"\\\n"} 5""" + "\n");
    }

    [Fact]
    public void Histograms_are_cumulative()
    {
        using var exposition = new MeterExposition();
        using var meter = new Meter("Duplex.Tests.Histograms");
        var histogram = meter.CreateHistogram(
            "tests.latency", "s", "How long.",
                advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (var value in new[] { 0.05, 0.1, 0.5, 7 })
        {
            histogram.Record(value);
        }

        exposition.Write().ShouldContain(
            """
            tests_latency_seconds_bucket{le="0.1"} 2
            tests_latency_seconds_bucket{le="1"} 3
            tests_latency_seconds_bucket{le="+Inf"} 4
            tests_latency_seconds_sum 7.65
            tests_latency_seconds_count 4
            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_gauge_that_is_told_no_more_vanishes()
    {
        using var exposition = new MeterExposition();
        using var meter = new Meter("Duplex.Tests.Gauges");
        var told = new Dictionary<string, long> { ["x"] = 4, ["y"] = 5 };
        meter.CreateObservableGauge(
            "tests.depth", () => told.Select(static t =>
                new Measurement<long>(t.Value, new KeyValuePair<string, object?>("leg", t.Key))));
        exposition.Write().ShouldContain("tests_depth{leg=\"y\"} 5");
        told.Remove("y");
        var text = exposition.Write();
        text.ShouldContain("tests_depth{leg=\"x\"} 4");
        text.ShouldNotContain("leg=\"y\"");
    }

    [Fact]
    public void Labels_cannot_exhaust_memory()
    {
        using var exposition = new MeterExposition();
        using var meter = new Meter("Duplex.Tests.Labels");
        var counter = meter.CreateCounter<long>("tests.keys");
        for (var i = 0; i < 6_000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("key", i));
        }

        var text = exposition.Write();
        Regex.Count(text, "^tests_keys_total\\{", RegexOptions.Multiline).ShouldBe(5_000);
        Value(text, "duplex_metrics_dropped_total").ShouldBeGreaterThanOrEqualTo(1_000);
    }

    [Fact]
    public async Task The_server_tells_what_its_legs_do()
    {
        await using var server = await RunningServer.StartAsync();
        await server.UntilReadyAsync();
        server.Shop.EditOnDashboard("POST", "/v1/customers", "name=Ada&email=ada@example.org");
        using var http = server.Http();
        await RunningServer.UntilAsync(
            async () => Regex.IsMatch(
                await http.GetStringAsync("/metrics"),
                """^duplex_changes_total\{sync="acme/customers",from="a",outcome="written"\} [1-9]""",
                RegexOptions.Multiline),
            "a written change is counted");
        var text = await http.GetStringAsync("/metrics");
        text.ShouldContain("duplex_ready 1\n");
        text.ShouldContain("duplex_leg_pending{sync=\"acme/customers\",from=\"a\"} 0\n");
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            line.ShouldMatch("""^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{.*\})? [-+0-9.eEINnaf]+)$""");
        }
    }

    private static double Value(string text, string name) =>
        double.Parse(
            text.Split('\n').First(l => l.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[1],
                CultureInfo.InvariantCulture);
}
