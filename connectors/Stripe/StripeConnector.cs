using Duplex.Connectors.Stripe.Events;
using Duplex.Connectors.Stripe.Listing;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Connectors.Stripe.Writing;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe;

/// <summary>Stripe: customers, products, prices and invoices of one account, in both directions.</summary>
public sealed class StripeConnector : IConnector
{
    /// <summary>The name in <c>connector:</c>.</summary>
    public const string Name = "stripe";

    /// <inheritdoc/>
    public ConnectorSpec Spec { get; } = new()
    {
        Name = Name,
        Summary = "Stripe: customers, products, prices and invoices; webhooks and the Events API.",
        Settings = StripeSettings.All,
        Streams = [.. StripeStream.All.Select(static s => s.Name)],
        Capabilities = new ConnectorCapabilities
        {
            OrderedStream = false,
            BatchMax = 1,
            Parallelism = 32,
            ComparesBeforeWrite = false,
            Webhooks = true,
            ClockResolutionMicros = 1_000_000,
            ReadLagMax = TimeSpan.FromSeconds(10),
        },
    };

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> CheckAsync(
        ConnectorContext context, IReadOnlyList<StreamUse> uses, CancellationToken cancellationToken) =>
        new StripeChecks(context, uses).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<StreamSchema> DescribeAsync(ConnectorContext context, string stream,
        CancellationToken cancellationToken) =>
        Task.FromResult(StripeStream.Of(stream).Schema);

    /// <inheritdoc/>
    public IRecordSource OpenSource(ConnectorContext context, IReadOnlyList<string> streams) =>
        new StripeSource(context, streams);

    /// <inheritdoc/>
    public IRecordSink OpenSink(ConnectorContext context) => new StripeSink(context);

    /// <inheritdoc/>
    public IRecordReader OpenReader(ConnectorContext context) => new StripeReader(context);
}
