using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Control;

/// <summary>The body of <c>GET /_sim/stats</c>.</summary>
internal static class StatisticsReport
{
    /// <summary>All counts since the start or the last reset; with writes of each object when asked.</summary>
    public static JsonObject Of(StripeSimulator simulator, bool withObjects)
    {
        var statistics = simulator.Statistics;
        var report = new JsonObject
        {
            ["requests"] = statistics.Requests,
            ["writes"] = statistics.WritesChanged,
            ["writes_unchanged"] = statistics.WritesUnchanged,
            ["replays"] = statistics.Replays,
            ["operations"] = Operations(simulator),
            ["objects"] = Objects(simulator),
            ["events"] = simulator.EventCount,
            ["webhooks"] = Webhooks(simulator),
            ["faults"] = Faults(simulator),
        };
        if (withObjects)
        {
            var writes = new JsonObject();
            foreach (var (id, count) in statistics.WritesByObject)
            {
                writes[id] = count;
            }

            report["writes_by_object"] = writes;
        }

        return report;
    }

    private static JsonObject Operations(StripeSimulator simulator)
    {
        var operations = new JsonObject();
        foreach (var (name, statuses) in simulator.Statistics.ByOperation())
        {
            var counts = new JsonObject();
            foreach (var (status, count) in statuses)
            {
                counts[status.ToString(CultureInfo.InvariantCulture)] = count;
            }

            operations[name] = counts;
        }

        return operations;
    }

    private static JsonObject Objects(StripeSimulator simulator)
    {
        var objects = new JsonObject();
        foreach (var resource in ResourceCatalog.All)
        {
            objects[resource.Path] = simulator.CountOf(resource);
        }

        return objects;
    }

    private static JsonObject Webhooks(StripeSimulator simulator)
    {
        var counts = simulator.Webhooks.Counts;
        return new JsonObject
        {
            ["delivered"] = counts.DeliveredCount,
            ["failed_attempts"] = counts.FailedCount,
            ["dropped"] = counts.DroppedCount,
            ["given_up"] = counts.GivenUpCount,
            ["pending"] = simulator.Webhooks.Pending,
        };
    }

    private static JsonObject Faults(StripeSimulator simulator)
    {
        var faults = new JsonObject();
        foreach (var (kind, count) in simulator.FaultCounts)
        {
            faults[JsonSerializer.Serialize(kind).Trim('"')] = count;
        }

        return faults;
    }
}
