using Npgsql;

namespace Duplex.Connectors.Postgres.Values;

/// <summary>
/// The session settings under which a value has one text form, whoever reads it: capture, snapshot, reader and sink. Every
/// connection of the connector, replication connections included, is opened with them.
/// </summary>
public static class PostgresSession
{
    /// <summary>For the <c>Options</c> of a connection string.</summary>
    public const string Options =
        "-c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c timezone=UTC "
        + "-c lc_monetary=C -c client_encoding=UTF8";

    /// <summary>
    /// Adds the settings, beside options that the connection string has already. The driver's own loading of types is left out:
    /// values are exchanged as text, and the driver fails on some types (arrays of domains over arrays).
    /// </summary>
    public static void Apply(NpgsqlConnectionStringBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Options = string.IsNullOrEmpty(builder.Options) ? Options : $"{builder.Options} {Options}";
        builder.ServerCompatibilityMode = ServerCompatibilityMode.NoTypeLoading;
    }
}
