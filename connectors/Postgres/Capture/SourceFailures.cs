using System.Net.Sockets;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Capture;

/// <summary>What a failure of PostgreSQL or of the connection to it means for a source.</summary>
internal static class SourceFailures
{
    /// <summary>The error to show and to act on; a <see cref="SyncException"/> keeps its own.</summary>
    public static SyncException Translate(Exception exception, string connection) => exception switch
    {
        SyncException known => known,
        PostgresException postgres => new SyncException(FromServer(postgres, connection), postgres),
        NpgsqlException or SocketException or IOException or TimeoutException => new SyncException(
            new SyncError(ErrorCode.SourceUnavailable, $"The database of connection {connection} cannot be reached.",
                Suggestion: "Check that the server runs and that host, port and ssl_mode are right.",
                Detail: exception.Message),
            exception),
        FormatException or IndexOutOfRangeException or ArgumentOutOfRangeException => new SyncException(
            new SyncError(ErrorCode.SourceUnreadable,
                $"The log of connection {connection} holds a message that cannot be decoded.",
                Detail: exception.Message),
            exception),
        _ => new SyncException(
            new SyncError(ErrorCode.Internal, $"Capture of connection {connection} failed.", Detail: exception.Message),
            exception),
    };

    private static SyncError FromServer(PostgresException e, string connection)
    {
        var detail = $"{e.SqlState}: {e.MessageText}";
        return e.SqlState switch
        {
            ['2', '8', ..] => new SyncError(ErrorCode.SourceUnauthorized,
                $"The database refuses the login of connection {connection}.",
                Suggestion: "Check username and password, and the server's pg_hba.conf.", Detail: detail),
            PostgresErrorCodes.InsufficientPrivilege => new SyncError(ErrorCode.SourceUnauthorized,
                $"The role of connection {connection} lacks a privilege.",
                Suggestion: "Run duplex doctor: it prints the statement that grants it.", Detail: detail),
            PostgresErrorCodes.InvalidCatalogName => new SyncError(ErrorCode.SourceMisconfigured,
                $"The database of connection {connection} does not exist.", Suggestion: "Check database.",
                    Detail: detail),
            PostgresErrorCodes.ObjectInUse => new SyncError(ErrorCode.SourceUnavailable,
                $"The replication slot of connection {connection} is in use by another session.",
                Suggestion: "It is freed when that session ends, at the latest after the server's wal_sender_timeout.",
                Detail: detail),
            PostgresErrorCodes.ObjectNotInPrerequisiteState => Prerequisite(e, connection, detail),
            PostgresErrorCodes.ConfigurationLimitExceeded => new SyncError(ErrorCode.SourceMisconfigured,
                $"The server has no free replication slot or sender for connection {connection}.",
                Suggestion: "ALTER SYSTEM SET max_replication_slots = 20; ALTER SYSTEM SET max_wal_senders = 20; then restart.",
                Detail: detail),
            PostgresErrorCodes.UndefinedObject => new SyncError(ErrorCode.SourceGap,
                $"The slot or the publication of connection {connection} is gone.",
                Suggestion: GapCheck.Fix(connection), Detail: detail),
            ['0', '8', ..] or ['5', '7', ..] or ['5', '3', ..] or ['4', '0', ..] or ['5', '5', ..] => new SyncError(
                ErrorCode.SourceUnavailable, $"The database of connection {connection} ended the session.",
                    Detail: detail),
            _ => new SyncError(ErrorCode.SourceUnavailable,
                $"The database of connection {connection} reports an error.", Detail: detail),
        };
    }

    /// <summary>The server uses one code for a slot that it invalidated and for settings that exclude logical
    /// decoding.</summary>
    private static SyncError Prerequisite(PostgresException e, string connection, string detail) =>
        e.MessageText.Contains("wal_level", StringComparison.Ordinal)
            ? new SyncError(ErrorCode.SourceMisconfigured,
                $"The server of connection {connection} does not allow logical decoding.",
                Suggestion: "ALTER SYSTEM SET wal_level = logical; then restart the server.", Detail: detail)
            : new SyncError(ErrorCode.SourceGap,
                $"The replication slot of connection {connection} can no longer be read.",
                Suggestion: GapCheck.Fix(connection), Detail: detail);
}
