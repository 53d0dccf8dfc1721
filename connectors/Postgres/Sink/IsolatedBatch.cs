using Duplex.Connectors.Postgres.Failures;
using Npgsql;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>
/// Runs statements for many items in one round trip inside an open transaction, so that an item whose statement fails
/// leaves the others standing. After a failure everything since the savepoint is undone, what came before the failed
/// item runs again, then what comes after it: each failure costs one round trip more, and no item runs more than
/// twice on account of it.
/// </summary>
internal static class IsolatedBatch
{
    /// <summary>Runs the items.</summary>
    /// <param name="connection">Inside a transaction.</param>
    /// <param name="count">The number of items.</param>
    /// <param name="commands">The statements of an item; each gives one result.</param>
    /// <param name="read">Reads the result of an item's last statement. Called again when the item runs again.</param>
    /// <param name="failed">Takes the failure that an item's data is to blame for.</param>
    /// <param name="cancellationToken">Gives up; the transaction is then to be rolled back.</param>
    /// <exception cref="NpgsqlException">A failure that is not an item's own.</exception>
    public static async Task RunAsync(
        NpgsqlConnection connection,
        int count,
        Func<int, IReadOnlyList<NpgsqlBatchCommand>> commands,
        Func<NpgsqlDataReader, int, Task> read,
        Action<int, PostgresException> failed,
        CancellationToken cancellationToken)
    {
        var ranges = new Stack<(int Start, int End)>();
        ranges.Push((0, count));
        while (ranges.TryPop(out var range))
        {
            if (range.Start >= range.End)
            {
                continue;
            }

            var owners = new Dictionary<NpgsqlBatchCommand, int>(ReferenceEqualityComparer.Instance);
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("SAVEPOINT duplex_items") } };
            for (var i = range.Start; i < range.End; i++)
            {
                foreach (var command in commands(i))
                {
                    owners[command] = i;
                    batch.BatchCommands.Add(command);
                }
            }

            batch.BatchCommands.Add(new NpgsqlBatchCommand("RELEASE SAVEPOINT duplex_items"));
            try
            {
                await ReadAsync(batch, range, owners, read, cancellationToken);
            }
            catch (PostgresException e) when (
                PostgresFailures.OfConnection(e, "") is null
                && e.BatchCommand is NpgsqlBatchCommand culprit
                && owners.ContainsKey(culprit))
            {
                await using var undo = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                        { new("ROLLBACK TO SAVEPOINT duplex_items"), new("RELEASE SAVEPOINT duplex_items") },
                };
                await undo.ExecuteNonQueryAsync(cancellationToken);
                var item = owners[culprit];
                failed(item, e);
                ranges.Push((item + 1, range.End));
                ranges.Push((range.Start, item));
            }
        }
    }

    private static async Task ReadAsync(
        NpgsqlBatch batch, (int Start, int End) range, Dictionary<NpgsqlBatchCommand, int> owners,
        Func<NpgsqlDataReader, int, Task> read, CancellationToken cancellationToken)
    {
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        for (var c = 1; c < batch.BatchCommands.Count - 1; c++)
        {
            var item = owners[batch.BatchCommands[c]];
            var last = !owners.TryGetValue(batch.BatchCommands[c + 1], out var next) || next != item;
            if (last)
            {
                await read(reader, item);
            }

            await reader.NextResultAsync(cancellationToken);
        }
    }
}
