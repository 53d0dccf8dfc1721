using System.Net.Sockets;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Failures;

/// <summary>
/// What a failure of the server or of the way to it means for the whole connection, whichever record was in hand.
/// </summary>
internal static class PostgresFailures
{
    /// <summary>
    /// The error, if the failure is not the fault of one record: the server is away, busy, refuses us, or a table is
    /// not as it was. Null when the record's data is to blame.
    /// </summary>
    /// <param name="failure">What Npgsql threw.</param>
    /// <param name="table">The table in hand, for the message.</param>
    public static SyncError? OfConnection(Exception failure, string table) => failure switch
    {
        PostgresException server => OfServer(server, table),
        NpgsqlException or SocketException or TimeoutException or IOException => new SyncError(
            ErrorCode.SinkUnavailable, $"The connection to PostgreSQL broke while {table} was in hand.",
            Detail: failure.Message),
        _ => null,
    };

    /// <summary>The same failure as an exception of a reader or of an attempt to connect.</summary>
    public static SyncException OfReader(Exception failure, string table)
    {
        var error = OfConnection(failure, table) ?? new SyncError(
            ErrorCode.SinkFailed, $"PostgreSQL failed while it read {table}.", Detail: Words(failure));
        return new SyncException(error, failure);
    }

    /// <summary>The server's own words, with its code.</summary>
    public static string Words(Exception failure) => failure is PostgresException server
        ? $"{server.SqlState}: {server.MessageText}"
        : failure.Message;

    private static SyncError? OfServer(PostgresException failure, string table)
    {
        var words = Words(failure);
        return failure.SqlState switch
        {
            "40001" or "40P01" or "55P03" => new SyncError(
                ErrorCode.SinkBusy, $"Another transaction holds rows of {table}.", Detail: words),
            "42501" => new SyncError(
                ErrorCode.SinkUnauthorized, $"The role lacks a privilege for {table}: {failure.MessageText}.",
                Suggestion: $"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO the role, "
                    + "and USAGE on its schema and sequences.",
                Detail: words),
            "3D000" => new SyncError(
                ErrorCode.SinkUnauthorized, "The database does not exist.", Path: "database", Detail: words),
            "25006" => new SyncError(
                ErrorCode.SinkUnavailable, "The server takes no writes: it is a standby or set to read-only.",
                Suggestion: "Point host at the primary.", Detail: words),
            "42P01" or "3F000" => new SyncError(
                ErrorCode.ConfigInvalid, $"{failure.MessageText}.", Suggestion: "Create it, or name another table.",
                Detail: words),
            "0A000" or "26000" or "42703" or "42883" or "42804" => new SyncError(
                ErrorCode.SinkBusy, $"{table} was altered while it was in hand.", Detail: words),
            _ => OfClass(failure, table, words),
        };
    }

    private static SyncError? OfClass(
        PostgresException failure, string table, string words) => failure.SqlState[..2] switch
    {
        "08" or "53" or "57" or "58" or "XX" => new SyncError(
            ErrorCode.SinkUnavailable, $"PostgreSQL cannot serve {table} at this time.", Detail: words),
        "28" => new SyncError(
            ErrorCode.SinkUnauthorized, "PostgreSQL refuses the login.", Path: "username",
            Suggestion: "Check username, password and pg_hba.conf.", Detail: words),
        "40" => new SyncError(ErrorCode.SinkBusy, $"PostgreSQL rolled the transaction on {table} back.", Detail: words),
        _ => null,
    };
}
