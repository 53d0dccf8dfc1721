using Npgsql;

namespace Duplex.Connectors.Postgres.Values;

/// <summary>
/// The session settings under which a value has one text form, whoever reads it: capture, snapshot, reader and sink.
/// Every connection of the connector, replication connections included, is opened with them.
/// </summary>
public static class PostgresSession
{
    /// <summary>For the <c>Options</c> of a connection string.</summary>
    public const string Options =
        "-c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c timezone=UTC "
        + "-c lc_monetary=C -c client_encoding=UTF8";

    /// <summary>Adds the settings, beside options that the connection string has already.</summary>
    public static void Apply(NpgsqlConnectionStringBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Options = string.IsNullOrEmpty(builder.Options) ? Options : $"{builder.Options} {Options}";
    }

    /// <summary>
    /// A pool of connections with the settings. The driver does not load the server's types: values are exchanged as
    /// text, and the driver fails on some types (arrays of domains over arrays).
    /// </summary>
    /// <param name="connection">Where to connect to. Not changed.</param>
    /// <param name="options">Further options: <c>-c lock_timeout=10s</c>.</param>
    public static NpgsqlDataSource CreateDataSource(NpgsqlConnectionStringBuilder connection, string? options = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var settings = new NpgsqlConnectionStringBuilder(connection.ConnectionString);
        Apply(settings);
        settings.Options = options is null ? settings.Options : $"{settings.Options} {options}";
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.ConfigureTypeLoading(static loading => loading.EnableTypeLoading(false));
        return builder.Build();
    }
}
