using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>Where the server stands, as it says itself.</summary>
/// <param name="System">The cluster's system identifier.</param>
/// <param name="Timeline">The timeline.</param>
/// <param name="Database">The database's oid.</param>
/// <param name="Flushed">The end of the log on disk.</param>
internal sealed record ServerPlace(string System, long Timeline, uint Database, ulong Flushed);

/// <summary>A table as the catalog and the publication know it.</summary>
/// <param name="Oid">Its oid.</param>
/// <param name="Published">Whether the publication holds it.</param>
internal sealed record PublishedTable(uint Oid, bool Published);

/// <summary>
/// Compares a saved position with what the server has. The server serves a position that is older than its slot from
/// the slot's, without a word; so every difference that could hide a loss is looked for here, at every start.
/// </summary>
internal static class GapCheck
{
    /// <summary>The command that repairs a gap.</summary>
    public static string Fix(string connection) =>
        $"Run duplex resnapshot {connection}: it makes what is missing and reads every row anew.";

    /// <summary>The first reason why the position cannot be resumed without losing changes; null when it can.</summary>
    public static SyncError? Find(
        CaptureOptions options, Position saved, CaptureToken? token, ServerPlace server, SlotState? slot)
    {
        if (token is null)
        {
            return Gap(options, "its saved position is not one that this version can read");
        }

        var reason = History(token, server, options)
            ?? (slot is null
                ? $"its replication slot {options.Slot} does not exist any more" : Slot(slot, saved, options));
        if (reason is null && saved.Major > server.Flushed)
        {
            reason = $"its saved position {Lsn.Format(saved.Major)} lies beyond the server's log, which ends at "
                + $"{Lsn.Format(server.Flushed)}: the server was restored or has lost transactions";
        }

        return reason is null ? null : Gap(options, reason);
    }

    /// <summary>
    /// The first stream of the position whose table is another one than it was, or was taken out of the publication, so
    /// that its changes since then are in no log.
    /// </summary>
    public static SyncError? FindTable(
        CaptureOptions options, CaptureToken token, IReadOnlyDictionary<string, PublishedTable> tables)
    {
        foreach (var (stream, progress) in token.Streams)
        {
            var reason = !tables.TryGetValue(stream, out var table) ? null
                : table.Oid != progress.Table ? $"table {stream} was dropped and made again"
                : table.Published ? null
                : $"table {stream} was taken out of publication {options.Publication}";
            if (reason is not null)
            {
                return Gap(options, reason);
            }
        }

        return null;
    }

    private static string? History(CaptureToken token, ServerPlace server, CaptureOptions options) =>
        token.System != server.System
            ? $"the server is another one (system identifier {server.System}, position from {token.System})"
        : token.Database != server.Database ? "the database is another one than the saved position's"
        : token.Timeline != server.Timeline
            ? $"the server is on timeline {server.Timeline}, the saved position on {token.Timeline}: it was promoted or restored"
        : token.Slot != options.Slot
            ? $"its saved position belongs to slot {token.Slot}, the configuration names {options.Slot}"
        : null;

    private static string? Slot(SlotState slot, Position saved, CaptureOptions options) =>
        slot.Plugin is not null && slot.Plugin != "pgoutput"
            ? $"replication slot {options.Slot} uses the plugin {slot.Plugin} instead of pgoutput"
        : slot.Invalid is not null ? $"replication slot {options.Slot} was invalidated by the server: {slot.Invalid}"
        : slot.WalStatus is null or "lost"
            ? $"replication slot {options.Slot} has lost its log (max_slot_wal_keep_size was exceeded)"
        : slot.Confirmed > saved.Major
            ? $"replication slot {options.Slot} stands at {Lsn.Format(slot.Confirmed)}, beyond the saved position "
                + $"{Lsn.Format(saved.Major)}: it was made again or moved by hand"
        : null;

    private static SyncError Gap(CaptureOptions options, string reason) => new(
        ErrorCode.SourceGap,
        $"Connection {options.Connection} cannot resume without losing changes: {reason}.",
        Suggestion: Fix(options.Connection));
}
