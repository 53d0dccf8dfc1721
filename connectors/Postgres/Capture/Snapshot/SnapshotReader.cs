using Duplex.Connectors.Postgres.Capture.PgOutput;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture.Snapshot;

/// <summary>
/// Reads the rows of every stream that has none yet, chunk by chunk, beside the stream of changes: writes the mark
/// before a chunk, reads it, writes the mark behind it, and waits until the marks have come by in the log.
/// </summary>
internal sealed class SnapshotReader(
    CaptureOptions options, CaptureProgress progress, SnapshotWindow window, TimeProvider clock, string run)
{
    /// <summary>Records that are read once more are few; a chunk of them stays small even when they are
    /// large.</summary>
    private const int AgainMax = 64;

    private long _chunks;

    /// <summary>Reads until every stream is done.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await options.Sql.OpenConnectionAsync(cancellationToken);
        await WaitForCommitsAsync(connection, cancellationToken);
        var types = new TypeCatalog();
        foreach (var stream in progress.Token.Streams.Where(static s => !s.Value.Done).Select(static s => s.Key)
            .ToArray())
        {
            await ReadAsync(connection, types, stream, cancellationToken);
        }
    }

    /// <summary>
    /// Where commits wait for a standby, a transaction that an earlier run told may still be invisible, and this run
    /// does not know it; so the first chunk waits until every transaction of the time has ended.
    /// </summary>
    private async Task WaitForCommitsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var first = new NpgsqlCommand("""
            SELECT CASE WHEN current_setting('synchronous_standby_names') <> ''
                        THEN pg_snapshot_xmax(pg_current_snapshot())::text::bigint END
            """, connection);
        if (await first.ExecuteScalarAsync(cancellationToken) is not long next)
        {
            return;
        }

        await using var command = new NpgsqlCommand(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1", connection)
        {
            Parameters = { new() { Value = next } },
        };
        while (!(bool)(await command.ExecuteScalarAsync(cancellationToken))!)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, cancellationToken);
        }
    }

    private async Task ReadAsync(
        NpgsqlConnection connection, TypeCatalog types, string stream, CancellationToken cancellationToken)
    {
        var rowsMax = options.ChunkRows;
        var state = progress.Token.Streams[stream];
        while (!state.Done)
        {
            var table = await TableCatalog.LoadAsync(connection, types, TableName.Parse(stream), cancellationToken);
            if (table is null || table.Oid != state.Table || table.Key.Count == 0)
            {
                throw new SyncException(ErrorCode.SourceGap,
                    $"Table {stream} was dropped, made again or lost its key while its rows were read.",
                    GapCheck.Fix(options.Connection));
            }

            var reader = new ChunkReader(
                connection, table.WithoutGenerated(), RelationLayout.SourceOf(options.Connection, stream));
            var again = state.Again.Count == 0 ? null : state.Again.Take(AgainMax).ToArray();
            var chunk = new SnapshotChunk(++_chunks, stream, again);
            window.Announce(chunk);
            await MarkAsync(connection, chunk, isHigh: false, cancellationToken);
            await reader.ReadAsync(chunk, state.After, rowsMax, cancellationToken);
            await MarkAsync(connection, chunk, isHigh: true, cancellationToken);
            if (await chunk.Verdict.Task.WaitAsync(cancellationToken) is { } moved)
            {
                state = moved;
                rowsMax = RowsFor(chunk.Rows!);
            }
            else
            {
                // What the chunk could not see becomes visible in a moment.
                await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancellationToken);
                state = progress.Token.Streams[stream];
            }
        }
    }

    /// <summary>As many rows as fit into a chunk's bytes, judged by the last chunk.</summary>
    private int RowsFor(SnapshotRows last) => last.Count == 0
        ? options.ChunkRows
        : Math.Clamp((int)((long)ChunkReader.BytesMax * last.Count / Math.Max(1, last.Bytes)), 1, options.ChunkRows);

    private async Task MarkAsync(
        NpgsqlConnection connection, SnapshotChunk chunk, bool isHigh, CancellationToken cancellationToken)
    {
        // The commit of a mark is not waited for on disk: the log's order is all that counts, and the sender waits for
        // the flush.
        await using var command = new NpgsqlCommand("SELECT pg_logical_emit_message(true, $1, $2)::text", connection)
        {
            Parameters =
            {
                new() { Value = Watermark.Prefix },
                new() { Value = Watermark.Text(run, chunk.Number, isHigh) },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
