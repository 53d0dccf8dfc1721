using System.Security.Cryptography;
using System.Text;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>What capture needs to know of its connection. Immutable.</summary>
internal sealed record CaptureOptions
{
    private const int NameLengthMax = 63;

    public required string Connection { get; init; }

    /// <summary>Opens connections for statements. There is no pool behind it, so it needs no disposal.</summary>
    public required NpgsqlDataSource Sql { get; init; }

    public required string ReplicationConnectionString { get; init; }
    public required string Slot { get; init; }
    public required string Publication { get; init; }

    /// <summary>Whether the slot's name is ours alone, so that a slot that no position belongs to may be
    /// dropped.</summary>
    public required bool OwnsSlot { get; init; }

    /// <summary>Whether the publication is named and made by us.</summary>
    public required bool OwnsPublication { get; init; }

    public required bool TakesSnapshot { get; init; }
    public required int ChunkRows { get; init; }
    public required TimeSpan Heartbeat { get; init; }
    public required TimeSpan SilenceMax { get; init; }

    public static CaptureOptions From(ConnectorContext context)
    {
        var settings = context.Settings;
        var name = DefaultName(context.Installation, context.Connection);
        var sql = new NpgsqlConnectionStringBuilder(PostgresSettings.ConnectionString(context, "capture"))
        {
            Pooling = false,
            CommandTimeout = 0,
            KeepAlive = 30,
            SearchPath = "pg_catalog",
        };
        var replication = new NpgsqlConnectionStringBuilder(PostgresSettings.ConnectionString(context, "stream"))
        {
            Pooling = false,
            CommandTimeout = 60,
            ReadBufferSize = 128 * 1024,
            SearchPath = "pg_catalog",
        };
        PostgresSession.Apply(replication);
        return new CaptureOptions
        {
            Connection = context.Connection,
            // A mark that waited for a standby would hold up nothing but the snapshot.
            Sql = PostgresSession.CreateDataSource(sql, "-c synchronous_commit=local"),
            ReplicationConnectionString = replication.ConnectionString,
            Slot = settings.Get(PostgresSettings.Slot) ?? name,
            Publication = settings.Get(PostgresSettings.Publication) ?? name,
            OwnsSlot = !settings.Has(PostgresSettings.Slot),
            OwnsPublication = !settings.Has(PostgresSettings.Publication),
            TakesSnapshot = settings.Get(PostgresSettings.Snapshot) == PostgresSettings.SnapshotInitial,
            ChunkRows = settings.Get(PostgresSettings.SnapshotChunk),
            Heartbeat = settings.Get(PostgresSettings.Heartbeat),
            SilenceMax = settings.Get(PostgresSettings.SilenceMax),
        };
    }

    /// <summary>
    /// The name of slot and publication: two installations, and two connections whose names differ only in characters
    /// that a slot's name cannot hold, never share one.
    /// </summary>
    internal static string DefaultName(string installation, string connection)
    {
        var safe = new StringBuilder("duplex_").Append(installation).Append('_');
        foreach (var c in connection)
        {
            safe.Append(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_' ? c : '_');
        }

        var name = safe.ToString();
        if (name.Length <= NameLengthMax && name.EndsWith(connection, StringComparison.Ordinal))
        {
            return name;
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(connection)))[..8];
        return $"{name[..Math.Min(name.Length, NameLengthMax - 9)]}_{digest}";
    }
}
