using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Log;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>
/// Takes events that are posted, one by one, and makes them entries of the change log. Every member may be called by
/// many threads at once. A poster's event goes through <see cref="Check"/>, which writes it to a batch, and
/// <see cref="AppendAsync"/>, which returns when it is on disk; batches of different posters are committed together.
/// </summary>
public sealed class IngestDoor
{
    private const string Source = "ingest";
    private const int RoutesMax = 4_096;
    private const int KeyBytes = 256;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_key;

    private readonly ConcurrentDictionary<(string Tenant, string Table), TableRoute> _routes = new();
    private readonly ConcurrentBag<ChangeBatch> _batches = [];
    private readonly IngestModel _model;
    private readonly RetentionModel _retention;
    private readonly IChangeLog _log;
    private volatile SchemaCatalog _schemas;
    private long _inFlight;

    /// <summary>Makes a door to a log; nothing is stored yet.</summary>
    public IngestDoor(IngestModel model, RetentionModel retention, IChangeLog log)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _retention = retention;
        _log = log;
        _schemas = model.Schemas;
    }

    /// <summary>The settings.</summary>
    public IngestModel Model => _model;

    /// <summary>What became of the events so far.</summary>
    public IngestCounters Counters { get; } = new();

    /// <summary>The schemas in use.</summary>
    public SchemaCatalog Schemas => _schemas;

    /// <summary>Makes the topics of every table that has a schema.</summary>
    public Task OpenAsync(CancellationToken cancellationToken) => UseAsync(_schemas, cancellationToken);

    /// <summary>Takes other schemas into use for all events that come from then on, and makes the topics of tables that
    /// they add.</summary>
    public async Task UseAsync(SchemaCatalog schemas, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(schemas);
        foreach (var table in schemas.Tables)
        {
            await EnsureAsync(RouteOf(TableTopics.DefaultTenant, table)!, cancellationToken);
        }

        _schemas = schemas;
    }

    /// <summary>
    /// Admits so many bytes of events to what is on its way to the disk; <see cref="Leave"/> gives them back. False when
    /// there are too many.
    /// </summary>
    public bool TryEnter(long bytes)
    {
        if (Interlocked.Add(ref _inFlight, bytes) <= _model.InFlightBytesMax)
        {
            return true;
        }

        Interlocked.Add(ref _inFlight, -bytes);
        return false;
    }

    /// <summary>Gives back what <see cref="TryEnter"/> took.</summary>
    public void Leave(long bytes) => Interlocked.Add(ref _inFlight, -bytes);

    /// <summary>An empty batch, which <see cref="Return"/> takes back.</summary>
    public ChangeBatch Rent() => _batches.TryTake(out var batch) ? batch : new ChangeBatch(2_048);

    /// <summary>Takes back a batch.</summary>
    public void Return(ChangeBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        const int keptBytesMax = 64 * 1024;
        if (batch.Bytes > keptBytesMax)
        {
            batch.Dispose();
            return;
        }

        batch.Clear();
        _batches.Add(batch);
    }

    /// <summary>Checks one event and adds it to the batch. Why it is not taken, or null; then the route says where it
    /// goes. The body is not needed afterwards.</summary>
    public IngestRefusal? Check(
        ReadOnlyMemory<byte> body, in DeliveryNote note, ChangeBatch batch, out TableRoute? route)
    {
        ArgumentNullException.ThrowIfNull(batch);
        route = null;
        if (body.Length > _model.BodyBytesMax)
        {
            return IngestRefusal.TooLarge(_model.BodyBytesMax);
        }

        if (PostedJson.Parse(body, out var document) is { } malformed)
        {
            return malformed;
        }

        using (document)
        {
            return CheckParsed(document!.RootElement, note, batch, out route);
        }
    }

    /// <summary>The same for an event that is parsed already, from strict JSON.</summary>
    public IngestRefusal? CheckParsed(JsonElement root, in DeliveryNote note, ChangeBatch batch, out TableRoute? route)
    {
        ArgumentNullException.ThrowIfNull(batch);
        route = null;
        if (root.ValueKind != JsonValueKind.Object)
        {
            return IngestRefusal.NoObject;
        }

        var posted = PostedEvent.Read(root);
        if (posted.Table.ValueKind != JsonValueKind.String || posted.Table.GetString() is not { Length: > 0 } table)
        {
            return IngestRefusal.MissingTable;
        }

        if (_schemas.Find(table) is not { } schema)
        {
            return IngestRefusal.UnknownTable(table);
        }

        var key = t_key ??= new ArrayBufferWriter<byte>(KeyBytes);
        key.ResetWrittenCount();
        if (EventCheck.Run(posted, schema, note, key, out var change) is { } breach)
        {
            return breach;
        }

        if (TenantOf(posted.Tenant, note, out var tenant) is { } stranger)
        {
            return stranger;
        }

        route = RouteOf(tenant, schema.Table);
        if (route is null)
        {
            return new IngestRefusal(IngestVerdict.NoRoom, "ingest.too_many_topics",
                $"There are {RoutesMax} tables of tenants already.", "tenant");
        }

        batch.Begin(route.Topic);
        batch.Write(key.WrittenSpan);
        batch.EndKey();
        EnvelopeText.Write(batch, change, route);
        batch.End(change.Delivery);
        return null;
    }

    /// <summary>Makes the route's topic, if it is not there. Why it could not be made, or null.</summary>
    public async ValueTask<IngestRefusal?> OpenAsync(TableRoute route)
    {
        ArgumentNullException.ThrowIfNull(route);
        try
        {
            await EnsureAsync(route, CancellationToken.None);
            return null;
        }
        catch (SyncException e)
        {
            return Refusal(e.Error.Code);
        }
    }

    /// <summary>Appends a batch of events whose routes are open, and returns when they are on disk. Why nothing of it is
    /// stored, or null. The batch stays the caller's.</summary>
    public async ValueTask<IngestRefusal?> AppendAsync(ChangeBatch batch)
    {
        var (refusal, conflict) = await TryAppendAsync(batch);
        return refusal ?? (conflict is null ? null : IngestRefusal.KeyReused());
    }

    /// <summary>The same, which tells of the event whose key was used for another one.</summary>
    internal async ValueTask<(IngestRefusal? Refusal, int? Conflict)> TryAppendAsync(ChangeBatch batch)
    {
        if (_log.Obstacle is { } obstacle)
        {
            return (Refusal(obstacle.Code), null);
        }

        try
        {
            // What was read is stored, also when its poster has gone: it comes again under its id, or is not missed.
            var outcome = await _log.AppendAsync(Source, batch, static topic => topic, CancellationToken.None);
            Counters.Take(outcome);
            return (null, outcome.Conflict);
        }
        catch (SyncException e)
        {
            return (Refusal(e.Error.Code), null);
        }
    }

    /// <summary>The stores' own messages name files of the server, which posters must not learn.</summary>
    private static IngestRefusal Refusal(ErrorCode code) => code == ErrorCode.StorageFull
        ? new IngestRefusal(IngestVerdict.NoRoom, ErrorCodes.Dotted(code),
            "Failed to publish to Kafka: the change log has no room; post it again later")
        : new IngestRefusal(IngestVerdict.Failed, ErrorCodes.Dotted(code),
            "Failed to publish to Kafka: the change log failed; the server's log tells more");

    private static IngestRefusal? TenantOf(JsonElement posted, in DeliveryNote note, out string tenant)
    {
        tenant = posted.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => note.Tenant ?? TableTopics.DefaultTenant,
            JsonValueKind.String => posted.GetString()!,
            JsonValueKind.Number => posted.GetRawText(),
            _ => "",
        };
        if (!TableName.IsValid(tenant))
        {
            return IngestRefusal.Wrong("tenant must be up to 63 letters, digits, _ and -", "tenant");
        }

        return note.Tenant is null || string.Equals(note.Tenant, tenant, StringComparison.Ordinal)
            ? null
            : new IngestRefusal(IngestVerdict.Forbidden, "auth.forbidden",
                "This API key belongs to another tenant.", "tenant");
    }

    private TableRoute? RouteOf(string tenant, string table)
    {
        if (_routes.TryGetValue((tenant, table), out var route))
        {
            return route;
        }

        return _routes.Count >= RoutesMax
            ? null : _routes.GetOrAdd((tenant, table), static k => new TableRoute(k.Tenant, k.Table));
    }

    private async Task EnsureAsync(TableRoute route, CancellationToken cancellationToken)
    {
        if (!route.IsOpen)
        {
            await _log.EnsureTopicAsync(
                new TopicSpec(route.Topic, _model.Partitions, _retention.LogAge, _retention.LogBytes),
                cancellationToken);
            route.IsOpen = true;
        }
    }
}
