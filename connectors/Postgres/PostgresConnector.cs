using Duplex.Connectors.Postgres.Capture;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Outbox;
using Duplex.Connectors.Postgres.Preflight;
using Duplex.Connectors.Postgres.Reading;
using Duplex.Connectors.Postgres.Sink;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres;

/// <summary>PostgreSQL 14 and later: tables as streams, captured from the write-ahead log, written by key.</summary>
public sealed class PostgresConnector : IConnector
{
    /// <inheritdoc/>
    public ConnectorSpec Spec { get; } = new()
    {
        Name = "postgres",
        Summary = "Tables of a PostgreSQL database (14 or later), both ways: captured from the write-ahead log, written by key.",
        Settings = PostgresSettings.All,
        Capabilities = new ConnectorCapabilities
        {
            OrderedStream = true,
            BatchMax = 500,
            Parallelism = 4,
            ComparesBeforeWrite = true,
            ClockResolutionMicros = 1,
        },
    };

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> CheckAsync(
        ConnectorContext context, IReadOnlyList<StreamUse> uses, CancellationToken cancellationToken) =>
        ConnectionPreflight.CheckAsync(context, uses, cancellationToken);

    /// <inheritdoc/>
    public async Task<StreamSchema> DescribeAsync(
        ConnectorContext context, string stream, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await CaptureOptions.From(context).Sql.OpenConnectionAsync(cancellationToken);
            var table = await TableCatalog.LoadAsync(
                connection, new TypeCatalog(), TableName.Parse(stream), cancellationToken);
            return table is null
                ? throw new SyncException(ErrorCode.ConfigInvalid,
                    $"Connection {context.Connection} has no table {stream}.",
                    "Check the spelling: names are case-sensitive, and a name without a schema is in public.")
                : table.ToStreamSchema() with { Stream = stream };
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw SourceFailures.Translate(e, context.Connection);
        }
    }

    /// <inheritdoc/>
    public IRecordSource OpenSource(ConnectorContext context, IReadOnlyList<string> streams) =>
        context.Settings.Get(PostgresSettings.Capture) == PostgresSettings.CaptureOutbox
            ? new OutboxSource(context, streams)
            : new PostgresSource(context, streams);

    /// <inheritdoc/>
    public IRecordSink OpenSink(ConnectorContext context) =>
        PostgresSink.Open(context, PostgresSettings.ConnectionString(context, "sink"));

    /// <inheritdoc/>
    public IRecordReader OpenReader(ConnectorContext context) =>
        PostgresReader.Open(PostgresSettings.ConnectionString(context, "reader"));
}
