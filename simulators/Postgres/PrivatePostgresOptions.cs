namespace Duplex.Simulators.Postgres;

/// <summary>How a <see cref="PrivatePostgres"/> is set up.</summary>
public sealed record PrivatePostgresOptions
{
    /// <summary>
    /// Where the cluster lives. An existing cluster there is used as it is, and stays when the server is disposed.
    /// Null: a fresh temporary directory, removed when the server is disposed.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>The loopback port; 0 picks a free one.</summary>
    public int Port { get; init; }

    /// <summary>The superuser's name.</summary>
    public string Username { get; init; } = "postgres";

    /// <summary>The superuser's password.</summary>
    public string Password { get; init; } = "postgres";

    /// <summary>
    /// Whether commits survive a power cut (<c>fsync</c>). Commits survive a killed server either way. Benchmarks
    /// turn it on.
    /// </summary>
    public bool Durable { get; init; }

    /// <summary>
    /// Server settings beyond, or in place of, the defaults: <c>wal_level</c>, <c>max_slot_wal_keep_size</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
