using Amazon;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;
using Duplex.Sdk;

namespace Duplex.DynamoDb.Requests;

/// <summary>
/// Sends requests. What is throttled is sent again after a growing pause; what still fails is told as
/// <see cref="ErrorCode.SinkUnavailable"/>. A condition that does not hold is the caller's to handle.
/// </summary>
internal sealed class DynamoDbClient : IDisposable
{
    private const int AttemptsMax = 10;

    private readonly AmazonDynamoDBClient _client;
    private readonly string _where;

    public DynamoDbClient(DynamoDbFeedOptions options)
    {
        var config = new AmazonDynamoDBConfig
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = 3,
            Timeout = TimeSpan.FromSeconds(15),
        };
        if (options.HttpHandler is { } handler)
        {
            config.HttpClientFactory = new Handled(handler);
        }

        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = options.Region ?? "us-east-1";
        }
        else if (options.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        _where = options.Endpoint?.ToString() ?? $"DynamoDB {options.Region}".TrimEnd();
        try
        {
            _client = options.AccessKey is { } key
                ? new AmazonDynamoDBClient(new BasicAWSCredentials(key, options.SecretKey ?? ""), config)
                : new AmazonDynamoDBClient(config);
        }
        catch (AmazonClientException e)
        {
            throw new SyncException(ErrorCode.ConfigInvalid, $"DynamoDB cannot be used: {e.Message}",
                "Set region, and access_key with secret_key where the machine has no credentials of its own, "
                + "under feed.dynamodb in duplex.yaml.", e);
        }
    }

    public Task<GetItemResponse> SendAsync(GetItemRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => _client.GetItemAsync(request, cancellationToken), cancellationToken);

    public Task<UpdateItemResponse> SendAsync(UpdateItemRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => _client.UpdateItemAsync(request, cancellationToken), cancellationToken);

    public Task<QueryResponse> SendAsync(QueryRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => _client.QueryAsync(request, cancellationToken), cancellationToken);

    public Task<ScanResponse> SendAsync(ScanRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => _client.ScanAsync(request, cancellationToken), cancellationToken);

    public Task<BatchWriteItemResponse> SendAsync(BatchWriteItemRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => _client.BatchWriteItemAsync(request, cancellationToken), cancellationToken);

    public Task<DescribeTableResponse> SendAsync(DescribeTableRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => _client.DescribeTableAsync(request, cancellationToken), cancellationToken);

    public Task<CreateTableResponse> SendAsync(CreateTableRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => _client.CreateTableAsync(request, cancellationToken), cancellationToken);

    /// <summary>A pause that doubles up to two seconds, each somewhere in its upper half.</summary>
    public static Task PauseAsync(int attempt, CancellationToken cancellationToken)
    {
        var most = Math.Min(2_000, 25 << Math.Min(attempt, 10));
        return Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(most / 2, most + 1)), cancellationToken);
    }

    /// <summary>The error of requests that were tried often enough.</summary>
    public SyncException Unavailable(string why, Exception? cause = null) => new(new SyncError(
        ErrorCode.SinkUnavailable, $"{_where} does not serve the feeds: {why}",
        Suggestion: "Nothing is acknowledged meanwhile and nothing is lost; check the address, the credentials and "
            + "the tables' capacity."), cause);

    public void Dispose() => _client.Dispose();

    private async Task<T> RunAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call().ConfigureAwait(false);
            }
            catch (Exception e) when (IsThrottling(e) && attempt < AttemptsMax)
            {
                await PauseAsync(attempt, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not (ConditionalCheckFailedException or ResourceNotFoundException
                or ResourceInUseException) && !cancellationToken.IsCancellationRequested
                && e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException
                    or OperationCanceledException)
            {
                throw Unavailable(e.Message, e);
            }
        }
    }

    private static bool IsThrottling(Exception e) =>
        e is ProvisionedThroughputExceededException or RequestLimitExceededException
        || (e is AmazonDynamoDBException { ErrorCode: "ThrottlingException" or "Throttling" });

    private sealed class Handled(Func<HttpMessageHandler> handler) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(handler());

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
    }
}
