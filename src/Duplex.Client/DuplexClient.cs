using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Duplex.Client;

/// <summary>
/// Speaks the <c>/v1</c> and <c>/feed</c> API of a Duplex server. Safe to use from many tasks. Every member throws
/// <see cref="DuplexApiException"/> when the server refuses and <see cref="DuplexUnreachableException"/> when it cannot
/// be asked.
/// </summary>
public sealed class DuplexClient : IDisposable
{
    private readonly HttpClient _http;

    /// <summary>Makes a client.</summary>
    /// <param name="address">The control plane's address, e.g. <c>http://127.0.0.1:8000</c>.</param>
    /// <param name="apiKey">Sent as a bearer token; null for a server on loopback without keys.</param>
    /// <param name="handler">Carries the requests; null for the default.</param>
    public DuplexClient(Uri address, string? apiKey = null, HttpMessageHandler? handler = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        Address = address;
        _http = new HttpClient(handler ?? new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (apiKey is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }
    }

    /// <summary>The control plane's address.</summary>
    public Uri Address { get; }

    /// <summary>The whole at one instant.</summary>
    public Task<StatusDocument> StatusAsync(CancellationToken cancellationToken = default) =>
        GetAsync<StatusDocument>("/v1/status", cancellationToken);

    /// <summary>Every connection.</summary>
    public Task<Page<ConnectionDocument>> ConnectionsAsync(CancellationToken cancellationToken = default) =>
        GetAsync<Page<ConnectionDocument>>("/v1/connections", cancellationToken);

    /// <summary>Checks a connection at its other side. Changes nothing there.</summary>
    public Task<CheckDocument> CheckAsync(string tenant, string name, CancellationToken cancellationToken = default) =>
        PostAsync<CheckDocument>($"/v1/connections/{Segment(tenant)}/{Segment(name)}/check", null, cancellationToken);

    /// <summary>Checks a sync's mapping against the fields that both sides have.</summary>
    public Task<SyncCheckDocument> CheckSyncAsync(string tenant, string name, CancellationToken cancellationToken =
        default) =>
        PostAsync<SyncCheckDocument>($"{SyncPath(tenant, name)}/check", null, cancellationToken);

    /// <summary>Starts a fresh snapshot of a connection's streams.</summary>
    public Task<CommandDocument> ResnapshotAsync(
        string tenant, string name, CancellationToken cancellationToken = default) =>
        PostAsync<CommandDocument>(
            $"/v1/connections/{Segment(tenant)}/{Segment(name)}/resnapshot", null, cancellationToken);

    /// <summary>Every sync.</summary>
    public Task<Page<SyncDocument>> SyncsAsync(CancellationToken cancellationToken = default) =>
        GetAsync<Page<SyncDocument>>("/v1/syncs", cancellationToken);

    /// <summary>Pauses both legs of a sync; survives restarts.</summary>
    public Task<CommandDocument> PauseAsync(string tenant, string name, CancellationToken cancellationToken =
        default) =>
        PostAsync<CommandDocument>($"{SyncPath(tenant, name)}/pause", null, cancellationToken);

    /// <summary>Resumes a paused or blocked sync; releases a brake.</summary>
    public Task<CommandDocument> ResumeAsync(string tenant, string name, CancellationToken cancellationToken =
        default) =>
        PostAsync<CommandDocument>($"{SyncPath(tenant, name)}/resume", null, cancellationToken);

    /// <summary>Both sides of a record and its timeline.</summary>
    public Task<RecordDocument> RecordAsync(
        string tenant, string name, string side, string key, CancellationToken cancellationToken = default) =>
        GetAsync<RecordDocument>(
            $"{SyncPath(tenant, name)}/record?side={Segment(side)}&key={Segment(key)}", cancellationToken);

    /// <summary>Dead letters, newest first.</summary>
    public Task<Page<DeadLetterDocument>> DeadLettersAsync(
        string? sync = null, long before = 0, int limit = 100, CancellationToken cancellationToken = default) =>
        GetAsync<Page<DeadLetterDocument>>(
            $"/v1/dead-letters?before={before}&limit={limit}{(sync is null ? "" : "&sync=" + Segment(sync))}",
            cancellationToken);

    /// <summary>One dead letter with its change.</summary>
    public Task<DeadLetterDocument> DeadLetterAsync(long id, CancellationToken cancellationToken = default) =>
        GetAsync<DeadLetterDocument>($"/v1/dead-letters/{id}", cancellationToken);

    /// <summary>Replays dead letters; each is decided anew against the present state.</summary>
    public Task<ReplayDocument> ReplayAsync(ReplayRequest request, CancellationToken cancellationToken = default) =>
        PostAsync<ReplayDocument>("/v1/dead-letters/replay", request, cancellationToken);

    /// <summary>Conflicts, newest first.</summary>
    public Task<Page<ConflictDocument>> ConflictsAsync(
        string? sync = null, bool waiting = false, long before = 0, int limit = 100,
        CancellationToken cancellationToken = default) =>
        GetAsync<Page<ConflictDocument>>(
            $"/v1/conflicts?waiting={(waiting ? "true" : "false")}&before={before}&limit={limit}"
            + (sync is null ? "" : "&sync=" + Segment(sync)),
            cancellationToken);

    /// <summary>One conflict.</summary>
    public Task<ConflictDocument> ConflictAsync(long id, CancellationToken cancellationToken = default) =>
        GetAsync<ConflictDocument>($"/v1/conflicts/{id}", cancellationToken);

    /// <summary>Decides a conflict that waits. What is decided is durable when it returns; the writes follow.</summary>
    public Task<ConflictDocument> ResolveAsync(
        long id, ResolveRequest request, CancellationToken cancellationToken = default) =>
        PostAsync<ConflictDocument>($"/v1/conflicts/{id}/resolve", request, cancellationToken);

    /// <summary>What a sync would do: lines of progress, at last the plan.</summary>
    public async IAsyncEnumerable<PlanLine> PlanAsync(
        string tenant, string name, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{SyncPath(tenant, name)}/plan");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/x-ndjson"));
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        await ThrowIfRefusedAsync(response, cancellationToken).ConfigureAwait(false);
        var lines = JsonSerializer.DeserializeAsyncEnumerable<PlanLine>(
            await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false),
            topLevelValues: true, DuplexJson.Compact, cancellationToken);
        await foreach (var line in lines.ConfigureAwait(false))
        {
            if (line?.Problem is { } problem)
            {
                throw new DuplexApiException(problem);
            }

            if (line is not null)
            {
                yield return line;
            }
        }
    }

    /// <summary>Every feed.</summary>
    public Task<Page<FeedDocument>> FeedsAsync(CancellationToken cancellationToken = default) =>
        GetAsync<Page<FeedDocument>>("/feed", cancellationToken);

    /// <summary>A page of a customer's feed.</summary>
    public Task<FeedPage> FeedAsync(string customer, FeedReading reading, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return GetAsync<FeedPage>($"/feed/{Segment(customer)}{reading.Query}", cancellationToken);
    }

    /// <summary>A customer's records as they come, without end; the server holds each request until there is
    /// one.</summary>
    public async IAsyncEnumerable<FeedRecordDocument> FollowFeedAsync(
        string customer, FeedReading reading, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var next = reading with { Wait = reading.Wait > TimeSpan.Zero ? reading.Wait : TimeSpan.FromSeconds(25) };
        while (true)
        {
            var page = await FeedAsync(customer, next, cancellationToken).ConfigureAwait(false);
            foreach (var record in page.Records)
            {
                yield return record;
            }

            next = next with { Offset = page.NextOffset };
        }
    }

    /// <summary>Stores the last record that a consumer of a feed has dealt with.</summary>
    public Task<FeedConsumerDocument> CommitFeedAsync(
        string customer, string consumer, FeedCommitRequest request, CancellationToken cancellationToken = default) =>
        PostAsync<FeedConsumerDocument>(
            $"/feed/{Segment(customer)}/consumers/{Segment(consumer)}", request, cancellationToken);

    /// <summary>Every customer with its tables and progress.</summary>
    public Task<Page<CustomerDocument>> CustomersAsync(CancellationToken cancellationToken = default) =>
        GetAsync<Page<CustomerDocument>>("/v1/customers", cancellationToken);

    /// <summary>One customer.</summary>
    public Task<CustomerDocument> CustomerAsync(string customer, CancellationToken cancellationToken = default) =>
        GetAsync<CustomerDocument>(CustomerPath(customer), cancellationToken);

    /// <summary>Makes a customer, or sets its tables and push, from a document in YAML or JSON.</summary>
    public Task<CustomerDocument> PutCustomerAsync(
        string customer, string document, CancellationToken cancellationToken = default) =>
        PutTextAsync<CustomerDocument>(CustomerPath(customer), document, "application/yaml", cancellationToken);

    /// <summary>Removes a customer; its feed stays readable until retention removes it.</summary>
    public async Task<CommandDocument> DeleteCustomerAsync(string customer, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, CustomerPath(customer));
        return await ReadAsync<CommandDocument>(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Replaces the secret of a customer's webhooks.</summary>
    public Task<CommandDocument> RotatePushSecretAsync(
        string customer, PushSecretRequest request, CancellationToken cancellationToken = default) =>
        PostAsync<CommandDocument>($"{CustomerPath(customer)}/push/secret", request, cancellationToken);

    /// <summary>Pushes a record again.</summary>
    public Task<CommandDocument> ResendAsync(string customer, long offset, CancellationToken cancellationToken = default) =>
        PostAsync<CommandDocument>($"{CustomerPath(customer)}/push/resend", new PushResendRequest(offset), cancellationToken);

    /// <summary>Pauses a customer; survives restarts.</summary>
    public Task<CommandDocument> PauseCustomerAsync(string customer, CancellationToken cancellationToken = default) =>
        PostAsync<CommandDocument>($"{CustomerPath(customer)}/pause", null, cancellationToken);

    /// <summary>Resumes a paused or blocked customer.</summary>
    public Task<CommandDocument> ResumeCustomerAsync(string customer, CancellationToken cancellationToken = default) =>
        PostAsync<CommandDocument>($"{CustomerPath(customer)}/resume", null, cancellationToken);

    /// <summary>Sends a part of the log to a customer's feed again.</summary>
    public Task<FeedReplayDocument> StartFeedReplayAsync(
        string customer, FeedReplayRequest request, CancellationToken cancellationToken = default) =>
        PostAsync<FeedReplayDocument>($"{CustomerPath(customer)}/replay", request, cancellationToken);

    /// <summary>A customer's last replay.</summary>
    public Task<FeedReplayDocument> FeedReplayAsync(string customer, CancellationToken cancellationToken = default) =>
        GetAsync<FeedReplayDocument>($"{CustomerPath(customer)}/replay", cancellationToken);

    /// <summary>Ends a customer's replay soon.</summary>
    public async Task<FeedReplayDocument> CancelFeedReplayAsync(string customer, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"{CustomerPath(customer)}/replay");
        return await ReadAsync<FeedReplayDocument>(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A customer's tables with the versions that are in use.</summary>
    public Task<Page<CustomerTableDocument>> MappingsAsync(string customer, CancellationToken cancellationToken = default) =>
        GetAsync<Page<CustomerTableDocument>>($"{CustomerPath(customer)}/mappings", cancellationToken);

    /// <summary>Stores a mapping, YAML or JSON, as a version.</summary>
    public Task<PutDocument> PutMappingAsync(
        string customer, string table, string document, bool activate, CancellationToken cancellationToken = default) =>
        PutTextAsync<PutDocument>($"{MappingPath(customer, table)}?activate={(activate ? "true" : "false")}", document, "application/yaml",
            cancellationToken);

    /// <summary>What a mapping makes of posted events. Changes nothing.</summary>
    public Task<Page<TrialDocument>> PreviewMappingAsync(
        string customer, string table, PreviewRequest request, CancellationToken cancellationToken = default) =>
        PostAsync<Page<TrialDocument>>($"{MappingPath(customer, table)}/preview", request, cancellationToken);

    /// <summary>How a version differs from the active mapping over the last changes of the log.</summary>
    public Task<MappingPlanDocument> PlanMappingAsync(
        string customer, string table, MappingPlanRequest request, CancellationToken cancellationToken = default) =>
        PostAsync<MappingPlanDocument>($"{MappingPath(customer, table)}/plan", request, cancellationToken);

    /// <summary>Takes a version into use.</summary>
    public Task<PutDocument> ActivateMappingAsync(
        string customer, string table, int version, CancellationToken cancellationToken = default) =>
        PostAsync<PutDocument>($"{MappingPath(customer, table)}/activate", new VersionRequest(version), cancellationToken);

    /// <summary>Every schema with the version that is in use.</summary>
    public Task<Page<SchemaDocument>> SchemasAsync(CancellationToken cancellationToken = default) =>
        GetAsync<Page<SchemaDocument>>("/v1/schemas", cancellationToken);

    /// <summary>A version of a schema, by default the one that is in use: of what is taken for a table, or of what a customer is
    /// given of it.</summary>
    public Task<VersionDocument> SchemaAsync(
        string table, string? customer, int? version, CancellationToken cancellationToken = default) =>
        GetAsync<VersionDocument>(
            SchemaPath(table, customer) + (version is { } v ? string.Create(CultureInfo.InvariantCulture, $"?version={v}") : ""),
            cancellationToken);

    /// <summary>Every version of a schema, without documents.</summary>
    public Task<Page<VersionDocument>> SchemaVersionsAsync(
        string table, string? customer, CancellationToken cancellationToken = default) =>
        GetAsync<Page<VersionDocument>>($"{SchemaPath(table, customer)}/versions", cancellationToken);

    /// <summary>Which customers a schema concerns.</summary>
    public Task<WhereUsedDocument> SchemaUsesAsync(
        string table, string? customer, CancellationToken cancellationToken = default) =>
        GetAsync<WhereUsedDocument>($"{SchemaPath(table, customer)}/where-used", cancellationToken);

    /// <summary>Sets a schema: of what is taken for a table, or of what a customer is given of it.</summary>
    public Task<PutDocument> PutSchemaAsync(
        string table, string? customer, string document, bool backward, CancellationToken cancellationToken = default) =>
        PutTextAsync<PutDocument>(
            $"{SchemaPath(table, customer)}?compatibility={(backward ? "backward" : "none")}", document, "application/json",
            cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string Segment(string text) => Uri.EscapeDataString(text);

    private static string SyncPath(string tenant, string name) => $"/v1/syncs/{Segment(tenant)}/{Segment(name)}";

    private static string CustomerPath(string customer) => $"/v1/customers/{Segment(customer)}";

    private static string SchemaPath(string table, string? customer) =>
        $"/v1/schemas/{(customer is null ? "internal" : $"external/{Segment(customer)}")}/{Segment(table)}";

    private static string MappingPath(string customer, string table) => $"{CustomerPath(customer)}/mappings/{Segment(table)}";

    private async Task<T> PutTextAsync<T>(string path, string text, string type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, path);
        request.Content = new StringContent(text, System.Text.Encoding.UTF8, type);
        return await ReadAsync<T>(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await ReadAsync<T>(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> PostAsync<T>(string path, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = body is null ? null : JsonContent.Create(body, body.GetType(), options: DuplexJson.Compact);
        return await ReadAsync<T>(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> ReadAsync<T>(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        await ThrowIfRefusedAsync(response, cancellationToken).ConfigureAwait(false);
        try
        {
            return await response.Content.ReadFromJsonAsync<T>(DuplexJson.Compact, cancellationToken)
                .ConfigureAwait(false)
                ?? throw new JsonException("The answer is empty.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            throw new DuplexUnreachableException(Address, e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new DuplexUnreachableException(Address, e);
        }
    }

    private async Task ThrowIfRefusedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        ProblemDocument? problem = null;
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            problem = await response.Content.ReadFromJsonAsync<ProblemDocument>(DuplexJson.Compact, cancellationToken)
                .ConfigureAwait(false);
        }

        throw new DuplexApiException(problem ?? Foreign(response.StatusCode));
    }

    private ProblemDocument Foreign(HttpStatusCode status) => new(
        "urn:duplex:problem:client.foreign_server", "Not a Duplex server", (int)status,
        $"{Address} answered {(int)status} without problem details; it does not seem to be a Duplex server.",
        "client.foreign_server", null, "Give the address of Duplex's control plane, by default http://127.0.0.1:8000.");
}

/// <summary>The server refused a request.</summary>
public sealed class DuplexApiException(ProblemDocument problem) : Exception(problem.Detail)
{
    /// <summary>Why.</summary>
    public ProblemDocument Problem { get; } = problem;
}

/// <summary>The server cannot be asked.</summary>
public sealed class DuplexUnreachableException(Uri address, Exception inner)
    : Exception($"No Duplex server answers at {address}: {inner.Message}", inner)
{
    /// <summary>The address that was asked.</summary>
    public Uri Address { get; } = address;
}
