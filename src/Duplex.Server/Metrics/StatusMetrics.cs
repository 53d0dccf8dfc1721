using System.Globalization;
using System.Text;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Ingest;
using Duplex.Engine.Push;

namespace Duplex.Server.Metrics;

/// <summary>Writes the engine's state as gauges in Prometheus' text format: what an alert or an autoscaler looks
/// at.</summary>
internal static class StatusMetrics
{
    public static string Write(EngineStatus status)
    {
        var text = new StringBuilder();
        Gauge(text, "duplex_ready", "Whether data moves everywhere.", [("", status.Ready ? 1 : 0)]);
        Gauge(text, "duplex_storage_ok", "Whether the stores take commits.", [("", status.Storage is null ? 1 : 0)]);
        WriteConnections(text, status.Connections);
        WriteLegs(text, status.Syncs);
        Gauge(text, "duplex_sync_links", "Live pairs.",
            status.Syncs.Select(static s => ($"sync=\"{Escape(s.FullName)}\"", (double)s.Links)));
        Gauge(text, "duplex_sync_conflicts_waiting", "Conflicts that wait for a person.",
            status.Syncs.Select(static s => ($"sync=\"{Escape(s.FullName)}\"", (double)s.ConflictsWaiting)));
        WriteCustomers(text, status.Customers);
        return text.ToString();
    }

    /// <summary>What became of posted events, as counters.</summary>
    public static string Write(IngestCounters counters)
    {
        var text = new StringBuilder();
        Series(text, "duplex_ingest_events_total", "Posted events since the start, by what became of them.", "counter",
        [
            ("outcome=\"taken\"", counters.Taken), ("outcome=\"repeated\"", counters.Repeated),
            ("outcome=\"refused\"", counters.Refused),
        ]);
        return text.ToString();
    }

    private static void WriteCustomers(StringBuilder text, IReadOnlyList<CustomerStatus> customers)
    {
        if (customers.Count == 0)
        {
            return;
        }

        void Each(string name, string help, Func<CustomerStatus, double> value, string type = "gauge") =>
            Series(text, name, help, type, customers.Select(c => ($"customer=\"{Escape($"{c.Tenant}/{c.Name}")}\"", value(c))));

        Each("duplex_customer_up", "Whether the customer's leg runs.", static c => Runs(c.State));
        Each("duplex_customer_behind", "Log entries that are not in its feed yet.", static c => c.Behind);
        Each("duplex_customer_dead_letters", "Changes that wait for a person.", static c => c.DeadLetters);
        Each("duplex_feed_last_offset", "The offset of the feed's last record.", static c => c.LastOffset);
        Each("duplex_feed_records_total", "Records appended to the feed since the start.", static c => c.Written, "counter");
        var pushed = customers.Where(static c => c.Push is not null).ToList();
        void Push(string name, string help, Func<PushStatus, double> value, string type = "gauge") =>
            Series(text, name, help, type, pushed.Select(c => ($"customer=\"{Escape($"{c.Tenant}/{c.Name}")}\"", value(c.Push!))));

        Push("duplex_push_up", "Whether the feed is pushed without a failure.", static p => p.Error is null ? 1 : 0);
        Push("duplex_push_waiting", "Records that wait for another attempt or their turn.", static p => p.Waiting);
        Push("duplex_push_delivered_total", "Records that were taken since the start.", static p => p.Delivered, "counter");
        Push("duplex_push_failed_attempts_total", "Attempts that failed since the start.", static p => p.FailedAttempts, "counter");
        Push("duplex_push_given_up_total", "Records that failed for good since the start.", static p => p.GivenUp, "counter");
    }

    private static void WriteConnections(StringBuilder text, IReadOnlyList<ConnectionStatus> connections)
    {
        void Each(string name, string help, Func<ConnectionStatus, double> value) =>
            Gauge(text, name, help, connections.Select(c =>
            ($"connection=\"{Escape($"{c.Tenant}/{c.Name}")}\",connector=\"{Escape(c.Connector)}\"", value(c))));

        Each("duplex_connection_up", "Whether the connection runs.", static c => Runs(c.State));
        Each("duplex_connection_source_lag_bytes", "History that the source holds for us.",
            static c => c.Source?.SourceLagBytes ?? 0);
        Each("duplex_connection_snapshot_rows", "Rows read by the running or last snapshot.",
            static c => c.Source?.SnapshotRows ?? 0);
    }

    private static void WriteLegs(StringBuilder text, IReadOnlyList<SyncStatus> syncs)
    {
        void Each(string name, string help, Func<LegStatus, double> value) =>
            Gauge(text, name, help, syncs.SelectMany(s =>
            s.Legs.Select(l => ($"sync=\"{Escape(s.FullName)}\",from=\"{l.From}\"", value(l)))));

        Each("duplex_leg_up", "Whether the leg runs.", static l => Runs(l.State));
        Each("duplex_leg_behind", "Log entries not passed yet.", static l => l.Behind);
        Each("duplex_leg_lag_seconds", "The age of the oldest of them.", static l => l.OldestUnpassedSeconds);
        Each("duplex_leg_pending", "Records whose delivery is due later.", static l => l.Pending);
        Each("duplex_leg_oldest_pending_seconds", "The age of the oldest pending record.",
            static l => l.OldestPendingSeconds);
        Each("duplex_leg_dead_letters", "Changes that wait for a person.", static l => l.DeadLetters);
    }

    private static double Runs(RunState state) => state is RunState.Running or RunState.FirstSync ? 1 : 0;

    private static void Gauge(StringBuilder text, string name, string help,
        IEnumerable<(string Labels, double Value)> series) => Series(text, name, help, "gauge", series);

    private static void Series(StringBuilder text, string name, string help, string type,
        IEnumerable<(string Labels, double Value)> series)
    {
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name)
            .Append(' ').Append(type).Append('\n');
        foreach (var (labels, value) in series)
        {
            text.Append(name).Append(labels.Length == 0 ? "" : $"{{{labels}}}").Append(' ')
                .Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        }
    }

    private static string Escape(string label) => label.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
