using Duplex.Conformance;
using Duplex.Engine.Feeds;

namespace Duplex.DynamoDb.Tests;

public sealed class DynamoDbFeedStoreConformance() : FeedStoreConformance(new DynamoDbBed());

public sealed class DynamoDbFeedDeliveryConformance() : FeedDeliveryConformance(new DynamoDbBed());

/// <summary>Feeds in tables of their own on the one dynalite.</summary>
internal sealed class DynamoDbBed : IBed<IFeedStore>
{
    private readonly string _prefix = $"t{Guid.NewGuid():N}_";

    public async Task<IFeedStore> OpenAsync(TimeProvider clock) => await OpenAsync(clock, null);

    public ValueTask<DynamoDbFeedStore> OpenAsync(TimeProvider clock, Func<HttpMessageHandler>? handler) =>
        DynamoDbFeedStore.OpenAsync(new DynamoDbFeedOptions
        {
            Region = "eu-central-1",
            Endpoint = Dynalite.Address,
            TablePrefix = _prefix,
            AccessKey = "test",
            SecretKey = "test",
            Clock = clock,
            HttpHandler = handler,
        });

    public void Dispose()
    {
    }
}
