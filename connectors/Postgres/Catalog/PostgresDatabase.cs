using System.Collections.Concurrent;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Catalog;

/// <summary>A pool of connections to one database, and what is known of its tables. Safe in parallel.</summary>
public sealed class PostgresDatabase(NpgsqlDataSource source, TimeProvider? clock = null) : IAsyncDisposable
{
    private static readonly TimeSpan Freshness = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (TableSchema Table, long ReadAt)> _tables =
        new(StringComparer.Ordinal);
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly TypeCatalog _types = new();

    /// <summary>The pool. Disposed with this.</summary>
    public NpgsqlDataSource Source { get; } = source;

    /// <summary>The table of a stream, as it was a minute ago at the most.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.ConfigInvalid"/>: there is no such table.</exception>
    /// <exception cref="NpgsqlException">The server cannot be asked.</exception>
    public async ValueTask<TableSchema> TableAsync(string stream, CancellationToken cancellationToken) =>
        _tables.TryGetValue(stream, out var known) && _clock.GetElapsedTime(known.ReadAt) < Freshness
            ? known.Table
            : await ReloadAsync(stream, cancellationToken);

    /// <summary>The table of a stream, read anew because it may have been altered.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.ConfigInvalid"/>: there is no such table.</exception>
    /// <exception cref="NpgsqlException">The server cannot be asked.</exception>
    public async Task<TableSchema> ReloadAsync(string stream, CancellationToken cancellationToken)
    {
        await using var connection = await Source.OpenConnectionAsync(cancellationToken);
        var name = TableName.Parse(stream);
        var table = await TableCatalog.LoadAsync(connection, _types, name, cancellationToken);
        if (table is null)
        {
            _tables.TryRemove(stream, out _);
            throw new SyncException(
                ErrorCode.ConfigInvalid,
                $"There is no table {name} in database {connection.Database}.",
                "Name a table as schema.table, in the spelling of the catalog, or create it.");
        }

        _tables[stream] = (table, _clock.GetTimestamp());
        return table;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Source.DisposeAsync();
}
