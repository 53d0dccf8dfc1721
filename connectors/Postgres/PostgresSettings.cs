using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres;

/// <summary>The settings of a PostgreSQL connection, each declared once.</summary>
public static class PostgresSettings
{
    /// <summary>The value of <see cref="Capture"/> that reads the write-ahead log.</summary>
    public const string CaptureWal = "wal";

    /// <summary>The value of <see cref="Capture"/> that reads an outbox table filled by triggers.</summary>
    public const string CaptureOutbox = "outbox";

    /// <summary>The value of <see cref="Snapshot"/> that copies existing rows first.</summary>
    public const string SnapshotInitial = "initial";

    /// <summary>The server.</summary>
    public static readonly Setting<string> Host =
        Setting.Text("host", "Host name or address of the server, or the directory of its socket.", "localhost");

    /// <summary>The port.</summary>
    public static readonly Setting<int> Port = Setting.Integer("port", "Port of the server.", 5432, 1, 65535);

    /// <summary>The database.</summary>
    public static readonly Setting<string> Database =
        Setting.Text("database", "Name of the database.") with { Required = true, Example = "shop" };

    /// <summary>The role.</summary>
    public static readonly Setting<string> Username =
        Setting.Text("username", "Role to log in as; capture from the log needs REPLICATION.")
            with { Required = true, Example = "duplex" };

    /// <summary>The password.</summary>
    public static readonly Setting<string> Password =
        Setting.Text("password", "Password of the role; none for trust, peer or certificate authentication.")
            with { Secret = true, Example = "${env:SHOP_PASSWORD}" };

    /// <summary>How TLS is used.</summary>
    public static readonly Setting<string> SslMode =
        Setting.Choice("ssl_mode", "How the connection is encrypted and the server's certificate checked.",
            "prefer", "disable", "allow", "prefer", "require", "verify-ca", "verify-full");

    /// <summary>The certificate authority.</summary>
    public static readonly Setting<string> SslRootCertificate =
        Setting.Text("ssl_root_certificate",
            "File with the certificate authority that verify-ca and verify-full trust.");

    /// <summary>How changes are captured.</summary>
    public static readonly Setting<string> Capture =
        Setting.Choice("capture",
            "Where changes come from: the write-ahead log, or an outbox table that triggers fill.",
            CaptureWal, CaptureWal, CaptureOutbox);

    /// <summary>The replication slot.</summary>
    public static readonly Setting<string> Slot =
        Setting.Text("slot",
            "Replication slot. Made when absent; by default named after the installation and the connection.");

    /// <summary>The publication.</summary>
    public static readonly Setting<string> Publication =
        Setting.Text("publication",
            "Publication. Made when absent, which needs ownership of the tables; by default named as the slot is.");

    /// <summary>Whether existing rows are read first.</summary>
    public static readonly Setting<string> Snapshot =
        Setting.Choice("snapshot", "Whether the rows that exist when a stream is first read are read too.",
            SnapshotInitial, SnapshotInitial, "never");

    /// <summary>The snapshot's page.</summary>
    public static readonly Setting<int> SnapshotChunk =
        Setting.Integer("snapshot_chunk", "Rows that a snapshot reads at once.", 4096, 1, 100_000);

    /// <summary>How often the slot is looked after.</summary>
    public static readonly Setting<TimeSpan> Heartbeat =
        Setting.Duration("heartbeat", "How often the slot is moved forward while no selected table changes.",
            TimeSpan.FromSeconds(10));

    /// <summary>How long silence is taken for life.</summary>
    public static readonly Setting<TimeSpan> SilenceMax =
        Setting.Duration("silence_max", "How long the server may say nothing before the connection counts as broken.",
            TimeSpan.FromSeconds(60));

    /// <summary>How long a connection attempt may take.</summary>
    public static readonly Setting<TimeSpan> ConnectTimeout =
        Setting.Duration("connect_timeout", "How long connecting may take.", TimeSpan.FromSeconds(10));

    /// <summary>Every setting, in the order of the reference page.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        Host, Port, Database, Username, Password, SslMode, SslRootCertificate, Capture, Slot, Publication,
        Snapshot, SnapshotChunk, Heartbeat, SilenceMax, ConnectTimeout,
    ];

    /// <summary>
    /// The connection string, without the session settings of <see cref="Values.PostgresSession"/>, which whoever opens
    /// it adds.
    /// </summary>
    /// <param name="context">The connection.</param>
    /// <param name="purpose">Goes into <c>application_name</c>: <c>capture</c>, <c>sink</c>.</param>
    internal static string ConnectionString(ConnectorContext context, string purpose)
    {
        var settings = context.Settings;
        return new NpgsqlConnectionStringBuilder
        {
            Host = settings.Get(Host),
            Port = settings.Get(Port),
            Database = settings.Get(Database),
            Username = settings.Get(Username),
            Password = settings.Get(Password),
            SslMode = Mode(settings.Get(SslMode)),
            RootCertificate = settings.Get(SslRootCertificate),
            ApplicationName = $"duplex {context.Connection} {purpose}",
            Timeout = Math.Max(1, (int)settings.Get(ConnectTimeout).TotalSeconds),
            IncludeErrorDetail = false,
        }.ConnectionString;
    }

    private static SslMode Mode(string? word) => word switch
    {
        "disable" => Npgsql.SslMode.Disable,
        "allow" => Npgsql.SslMode.Allow,
        "require" => Npgsql.SslMode.Require,
        "verify-ca" => Npgsql.SslMode.VerifyCA,
        "verify-full" => Npgsql.SslMode.VerifyFull,
        _ => Npgsql.SslMode.Prefer,
    };
}
