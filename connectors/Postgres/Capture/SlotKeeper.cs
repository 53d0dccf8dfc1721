using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>
/// Looks after slot and publication while the stream runs: moves the slot forward when nothing else does, and sees what
/// the stream itself cannot: a table taken out of the publication, log nearing the bound where the slot is given up.
/// </summary>
internal sealed class SlotKeeper(CaptureOptions options, CaptureProgress progress, TimeProvider clock)
{
    /// <summary>Less room than this share of what is held calls for a warning.</summary>
    private const double SafeShareMin = 0.25;

    private volatile string? _warning;
    private long _heldBytes;

    /// <summary>What needs an eye; null if nothing does.</summary>
    public string? Warning => _warning;

    /// <summary>How much log the slot holds back, in bytes.</summary>
    public long HeldBytes => Interlocked.Read(ref _heldBytes);

    /// <summary>Runs until the token ends it; throws when capture must stop.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await options.Sql.OpenConnectionAsync(cancellationToken);
        var setup = new CaptureSetup(options, connection);
        using var ticks = new PeriodicTimer(options.Heartbeat, clock);
        ulong last = 0;
        while (await ticks.WaitForNextTickAsync(cancellationToken))
        {
            if (await SlotState.ReadAsync(connection, options.Slot, cancellationToken) is not { } slot)
            {
                continue;
            }

            Look(slot);
            if (slot.Confirmed == last)
            {
                await BeatAsync(connection, cancellationToken);
            }

            last = slot.Confirmed;
            var tables = await setup.TablesAsync([.. progress.Token.Streams.Keys], cancellationToken);
            if (GapCheck.FindTable(options, progress.Token, tables) is { } gap)
            {
                throw new SyncException(gap);
            }
        }
    }

    private void Look(SlotState slot)
    {
        Interlocked.Exchange(ref _heldBytes, slot.HeldBytes);
        _warning = slot.WalStatus is "unreserved" or "lost"
            ? $"Replication slot {options.Slot} is about to lose its log (wal_status {slot.WalStatus})."
            : slot.SafeBytes is { } safe && safe < SafeShareMin * (safe + slot.HeldBytes)
                ? $"Replication slot {options.Slot} is lost after {safe >> 20} MB more of log (max_slot_wal_keep_size)."
                : null;
    }

    private static async Task BeatAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_logical_emit_message(false, $1, 'hb')::text", connection)
        {
            Parameters = { new() { Value = Watermark.Prefix } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
