using Duplex.Connectors.Postgres.Capture.Snapshot;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// The token of the running capture and what it says, moved by the thread that decodes. Reading <see cref="Token"/> is
/// safe from any thread.
/// </summary>
internal sealed class CaptureProgress
{
    private readonly HashSet<string> _pending;
    private CaptureToken _token;
    private string? _json;

    public CaptureProgress(CaptureToken token)
    {
        _token = token;
        _pending = [.. token.Streams.Where(static s => !s.Value.Done).Select(static s => s.Key)];
        SnapshotPending = _pending.Count > 0;
    }

    /// <summary>The token as it stands.</summary>
    public CaptureToken Token => Volatile.Read(ref _token);

    /// <summary>Whether any stream still has rows to read.</summary>
    public bool SnapshotPending { get; private set; }

    /// <summary>Whether the stream still has rows to read.</summary>
    public bool IsPending(string stream) => _pending.Contains(stream);

    /// <summary>A position with this progress.</summary>
    public Position At(long epoch, (ulong Major, ulong Minor) reached) =>
        new(epoch, reached.Major, reached.Minor, _json ??= _token.Write());

    /// <summary>Has records of a stream read once more.</summary>
    public void ReadAgain(string stream, IReadOnlyCollection<string> keys)
    {
        var progress = _token.Streams[stream];
        var missing = keys.Where(k => !progress.Again.Contains(k)).ToArray();
        if (missing.Length > 0)
        {
            Set(stream, progress with { Again = [.. progress.Again, .. missing] });
        }
    }

    /// <summary>A chunk is in the log's order.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="written">Rows of it that stood.</param>
    /// <param name="partial">Keys of records of which only a part is known.</param>
    public void Finish(SnapshotChunk chunk, int written, IReadOnlyCollection<string> partial)
    {
        var progress = _token.Streams[chunk.Stream];
        var again = chunk.Again is null ? progress.Again : progress.Again.Except(chunk.Again);
        string[] left = [.. again.Union(partial)];
        Set(chunk.Stream, progress with
        {
            Again = left,
            After = chunk.Again is null ? chunk.After ?? progress.After : progress.After,
            Rows = progress.Rows + written,
            Done = chunk.Again is null && chunk.IsLast && left.Length == 0,
        });
    }

    private void Set(string stream, StreamProgress progress)
    {
        Volatile.Write(ref _token, _token.With(stream, progress));
        _json = null;
        if (progress.Done)
        {
            _pending.Remove(stream);
            SnapshotPending = _pending.Count > 0;
        }
    }
}
