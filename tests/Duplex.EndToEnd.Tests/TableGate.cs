using Npgsql;

namespace Duplex.EndToEnd.Tests;

/// <summary>
/// Holds <c>customers</c> locked, and lets those who read it through one statement at a time: a snapshot stands still
/// wherever a test wants it.
/// </summary>
internal sealed class TableGate : IAsyncDisposable
{
    private readonly Bed _bed;
    private NpgsqlTransaction _held;

    private TableGate(Bed bed, NpgsqlTransaction held) => (_bed, _held) = (bed, held);

    /// <summary>Makes a slot and a publication beforehand: a slot cannot be made while the table is locked. The settings that name
    /// them.</summary>
    public static async Task<string> MakeSlotAsync(Bed bed)
    {
        var name = (await bed.QueryAsync("select current_database()"))[0];
        await bed.ExecuteAsync($"create publication \"{name}\" for table customers");
        await bed.ExecuteAsync($"select pg_create_logical_replication_slot('{name}', 'pgoutput')");
        return $"slot: {name}\n    publication: {name}";
    }

    public static async Task<TableGate> CloseAsync(Bed bed) => new(bed, await LockAsync(bed));

    /// <summary>Runs a statement behind the gate. What it changes is committed by the next step.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _held.Connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Waits until someone wants to read, and lets one statement of everyone who does through.</summary>
    public async Task LetReadAsync()
    {
        await WaitForAsync("AccessShareLock");
        await StepAsync();
    }

    /// <summary>Commits what was changed behind the gate, and lets one statement of everyone who waits through.</summary>
    public async Task StepAsync()
    {
        // Locks are given in the order in which they were asked for: whoever comes later waits for the next step.
        var next = LockAsync(_bed);
        await WaitForAsync("AccessExclusiveLock");
        await OpenAsync();
        _held = await next;
    }

    private Task WaitForAsync(string mode) => _bed.UntilAsync(async () => (await _bed.QueryAsync($"""
        select 1 from pg_locks where not granted and mode = '{mode}' and relation = 'customers'::regclass
            and database = (select oid from pg_database where datname = current_database())
        """)).Count > 0, $"someone waits for {mode}");

    public async ValueTask DisposeAsync() => await OpenAsync();

    private async Task OpenAsync()
    {
        await using var connection = _held.Connection!;
        await _held.CommitAsync();
    }

    private static async Task<NpgsqlTransaction> LockAsync(Bed bed)
    {
        var connection = await bed.Sql.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("lock table customers in access exclusive mode", connection)
        {
            CommandTimeout = 0,
        };
        await command.ExecuteNonQueryAsync();
        return transaction;
    }
}
