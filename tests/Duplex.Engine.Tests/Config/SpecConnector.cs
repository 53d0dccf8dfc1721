using Duplex.Sdk;

namespace Duplex.Engine.Tests.Config;

/// <summary>A connector that is only its spec: what the loader asks of one.</summary>
internal sealed class SpecConnector(ConnectorSpec spec) : IConnector
{
    public static readonly IReadOnlyCollection<IConnector> All =
    [
        new SpecConnector(new ConnectorSpec
        {
            Name = "postgres",
            Summary = "PostgreSQL.",
            Settings =
            [
                Setting.Text("host", "The server's name.", "localhost"),
                Setting.Integer("port", "The server's port.", 5432, 1, 65535),
                Setting.Text("database", "The database.") with { Required = true },
                Setting.Text("username", "The role."),
                Setting.Text("password", "The role's password.") with { Secret = true },
                Setting.Choice("mode", "How changes are captured.", "wal", "wal", "outbox"),
                Setting.List("schemas", "The schemas."),
                Setting.Map("options", "More settings of the session."),
                Setting.Duration("connect_timeout", "How long a connection may take.", TimeSpan.FromSeconds(10)),
            ],
            Capabilities = new ConnectorCapabilities { OrderedStream = true },
        }),
        new SpecConnector(new ConnectorSpec
        {
            Name = "stripe",
            Summary = "Stripe.",
            Settings =
            [
                Setting.Text("api_key", "The secret key.") with { Required = true, Secret = true, Example =
                    "${secret:stripe}" },
                Setting.Text("webhook_secret", "The endpoint's signing secret.") with { Secret = true },
            ],
            Streams = ["customers", "products", "prices", "invoices"],
            Capabilities = new ConnectorCapabilities { OrderedStream = false },
        }),
    ];

    public ConnectorSpec Spec => spec;

    public Task<IReadOnlyList<Finding>> CheckAsync(
        ConnectorContext context, IReadOnlyList<StreamUse> uses, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<StreamSchema> DescribeAsync(ConnectorContext context, string stream,
        CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public IRecordSource OpenSource(ConnectorContext context, IReadOnlyList<string> streams) =>
        throw new NotSupportedException();

    public IRecordSink OpenSink(ConnectorContext context) => throw new NotSupportedException();

    public IRecordReader OpenReader(ConnectorContext context) => throw new NotSupportedException();
}
