using System.Text;
using Duplex.Connectors.Postgres.Capture.PgOutput;

namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>
/// Joins chunks of a snapshot to the stream of changes. A chunk lies between two marks in the log. What changed between
/// the marks is younger than the chunk's rows or the same, so those rows are dropped; a chunk whose snapshot did not
/// see a transaction that the stream had told before the first mark is read again. Used by the thread that decodes,
/// except <see cref="Announce"/>.
/// </summary>
internal sealed class SnapshotWindow(CaptureProgress progress)
{
    /// <summary>Changed keys of the chunk's stream since its low mark, and whether only a part of the record is
    /// known.</summary>
    private readonly Dictionary<string, bool> _changed = [];
    private readonly HashSet<uint> _streamed = [];
    private HashSet<uint> _before = [];
    private SnapshotChunk? _announced;
    private SnapshotChunk? _open;
    private bool _truncated;
    private bool _relaid;

    /// <summary>Tells of a chunk before its low mark is written. One at a time.</summary>
    public void Announce(SnapshotChunk chunk) => Volatile.Write(ref _announced, chunk);

    /// <summary>A transaction with changes was told.</summary>
    public void Streamed(uint xid)
    {
        if (progress.SnapshotPending)
        {
            _streamed.Add(xid);
        }
    }

    /// <summary>A record changed.</summary>
    public void Changed(RelationLayout layout, ReadOnlySpan<byte> key, string? previousKey, bool isPartial)
    {
        if (!progress.SnapshotPending || !progress.IsPending(layout.Stream!))
        {
            return;
        }

        var isOpen = _open?.Stream == layout.Stream;
        if (!isOpen && !(isPartial && previousKey is not null))
        {
            return;
        }

        var text = Encoding.UTF8.GetString(key);
        if (!isOpen)
        {
            // The row moved, perhaps to where the snapshot has been already, and the log did not tell all of it.
            progress.ReadAgain(layout.Stream!, [text]);
            return;
        }

        if (previousKey is not null)
        {
            _changed[previousKey] = false;
        }

        _changed[text] = isPartial && (!_changed.TryGetValue(text, out var known) || known);
    }

    /// <summary>A table was emptied.</summary>
    public void Truncated(RelationLayout layout)
    {
        if (_open?.Stream == layout.Stream)
        {
            _truncated = true;
            _changed.Clear();
        }
    }

    /// <summary>A table's columns are others than before.</summary>
    public void Relaid(RelationLayout layout) => _relaid |= _open is not null && _open.Stream == layout.Stream;

    /// <summary>The mark before a chunk came by.</summary>
    public void Open(long number)
    {
        var chunk = Volatile.Read(ref _announced);
        if (chunk is null || chunk.Number != number)
        {
            return;
        }

        _open = chunk;
        _before = [.. _streamed];
        _changed.Clear();
        _truncated = _relaid = false;
    }

    /// <summary>
    /// The mark behind a chunk came by, and its transaction ended. Calls <paramref name="write"/> for each row that
    /// stands, moves the progress and gives the verdict.
    /// </summary>
    /// <returns>The chunk whose verdict has to be given when its rows are on their way; null when nothing
    /// closed.</returns>
    public SnapshotChunk? Close(long number, Action<SnapshotRows, int> write)
    {
        if (_open is not { } chunk || chunk.Number != number || chunk.Rows is not { } rows
            || chunk.Seen is not { } seen)
        {
            return null;
        }

        _open = null;
        var stale = _relaid || _before.Any(xid => !seen.Saw(xid));
        _streamed.RemoveWhere(seen.Saw);
        if (stale)
        {
            return chunk;
        }

        var written = 0;
        for (var i = 0; i < rows.Count && !_truncated; i++)
        {
            if (_changed.Count == 0 || !_changed.ContainsKey(Encoding.UTF8.GetString(rows.Key(i))))
            {
                write(rows, i);
                written++;
            }
        }

        progress.Finish(chunk, written, [.. _changed.Where(static c => c.Value).Select(static c => c.Key)]);
        chunk.IsAccepted = true;
        return chunk;
    }
}
