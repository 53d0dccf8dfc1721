using System.Globalization;

namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>
/// Which transactions a chunk's snapshot saw: <c>pg_current_snapshot()</c>. A transaction stands in the log a moment
/// before others can see it (and with synchronous replication for as long as a standby takes), so the order of the log
/// alone does not say what a chunk contains.
/// </summary>
internal sealed class VisibleTransactions
{
    private readonly uint _next;
    private readonly HashSet<uint> _running;

    private VisibleTransactions(uint next, HashSet<uint> running) => (_next, _running) = (next, running);

    /// <summary>Reads <c>xmin:xmax:xip,xip</c>.</summary>
    public static VisibleTransactions Parse(string snapshot)
    {
        var parts = snapshot.Split(':');
        var running = parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Low);
        return new VisibleTransactions(Low(parts[1]), [.. running]);
    }

    /// <summary>Whether the snapshot saw what a transaction that stands in the log did.</summary>
    /// <param name="xid">The transaction's id as the log tells it: the low 32 bits.</param>
    public bool Saw(uint xid) => unchecked((int)(xid - _next)) < 0 && !_running.Contains(xid);

    private static uint Low(string xid8) => unchecked((uint)ulong.Parse(xid8, CultureInfo.InvariantCulture));
}
