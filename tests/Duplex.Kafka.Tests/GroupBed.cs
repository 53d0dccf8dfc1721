using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Duplex.Conformance;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Mapping.Output;
using Duplex.Sdk;
using Duplex.Storage.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace Duplex.Kafka.Tests;

/// <summary>An engine with the customer <c>c</c> of the table <c>users</c> (6 partitions), whose log is on Kafka.</summary>
internal sealed class GroupBed(KafkaBroker broker) : IAsyncDisposable
{
    public const int Partitions = 6;
    public const int Keys = 60;
    private const string Mapping = "rules: [ { a: id, b: id }, { a: name, b: name } ]";

    private readonly string _data = Directory.CreateTempSubdirectory("duplex-group-").FullName;
    private readonly string _prefix = $"t{Guid.NewGuid():N}"[..12];
    private KafkaChangeLog? _log;
    private IFeedStore _feeds = null!;

    /// <summary>How long the group waits for a member.</summary>
    public TimeSpan SessionWithin { get; init; } = TimeSpan.FromSeconds(6);

    public SyncEngine Engine { get; private set; } = null!;

    public EmbeddedStateStore Store { get; private set; } = null!;

    public string Group => $"{_prefix}.default/c:a";

    public string Topic => $"{_prefix}.users";

    /// <summary>How many changes were posted; a change's name is its record's running number.</summary>
    public int Posted { get; private set; }

    public async Task StartAsync()
    {
        KafkaBroker.Require();
        _log = await KafkaChangeLog.OpenAsync(
            new KafkaLogOptions { Bootstrap = broker.Bootstrap, Prefix = _prefix, SessionWithin = SessionWithin }, default);
        Store = await EmbeddedStateStore.OpenAsync(_data);
        _feeds = await EmbeddedFeedStore.OpenAsync(_data);
        await _log.EnsureAsync(Partitions, topic: "users");
        var (document, _) = MappingDocument.Read(Mapping, "users.yaml", "users");
        var model = new EngineModel
        {
            DataDirectory = _data,
            Connections = new Dictionary<string, ConnectionModel>(),
            Syncs = new Dictionary<string, SyncModel>(),
            Customers = new Dictionary<string, CustomerModel>
            {
                ["c"] = new()
                {
                    Name = "c",
                    Tenant = "default",
                    Start = FeedStart.Latest,
                    Feed = new FeedSpec("c", TimeSpan.FromDays(1), 1L << 30),
                    Path = "/customers/c",
                    Tables = new Dictionary<string, TableModel> { ["users"] = new("users", document!, null) },
                },
            },
        };
        Engine = new SyncEngine(new EngineParts(
            model, _log, Store, new RateBudget(TimeProvider.System), TimeProvider.System, NullLoggerFactory.Instance)
        {
            Feeds = _feeds,
        });
        await Engine.StartAsync(default);
    }

    public async Task StopAsync()
    {
        await Engine.StopAsync(default);
        await Engine.DisposeAsync();
        await _feeds.DisposeAsync();
        await _log!.DisposeAsync();
        await Store.DisposeAsync();
        _log = null;
    }

    /// <summary>Posts one change of every record.</summary>
    public async Task PostAsync()
    {
        using var batch = new ChangeBatch { Position = new Position(1, (ulong)(Posted + Keys), 0) };
        for (var key = 0; key < Keys; key++)
        {
            var id = key.ToString(CultureInfo.InvariantCulture);
            ChangeEnvelope.Add(batch, new Change
            {
                Operation = ChangeOperation.Update,
                Stream = "users",
                Key = RecordKey.Of(id),
                After = new Sdk.Record(Encoding.UTF8.GetBytes($$"""{"id":{{id}},"name":{{Posted / Keys}}}""")),
                SourceMicros = 1_700_000_000_000_000,
                Version = (Posted / Keys).ToString(CultureInfo.InvariantCulture),
            }, "ingest", "sync");
        }

        await _log!.AppendAsync("posts", batch, static stream => stream, default);
        Posted += Keys;
    }

    /// <summary>Posts until told to stop. What becomes of an append that a broker took away, the log tells.</summary>
    public async Task PostAllAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await PostAsync();
            }
            catch (SyncException e) when (e.Error.Code == Sdk.ErrorCode.StorageUnavailable)
            {
                await Eventually.BecomesAsync(IsTold);
            }
        }
    }

    public CustomerStatus Status() =>
        Engine.StatusAsync(default).GetAwaiter().GetResult().Customers.Single();

    /// <summary>Another program in the customer's group.</summary>
    public OtherMember Join(string? instance = null) => new(broker.Bootstrap, Group, Topic, instance);

    public IAdminClient Admin() => new AdminClientBuilder([new("bootstrap.servers", broker.Bootstrap)]).Build();

    /// <summary>Waits until everything that was posted is in the feed, then holds it to what was posted: each change once, in order
    /// per record, without a gap.</summary>
    public async Task HoldsAllAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await _feeds.WaitAsync("c", Posted - 1, deadline.Token);
        await Eventually.BecomesAsync(() => Status().Behind == 0);
        var feed = await ReadAsync(0);
        feed.Select(static r => r.Offset).ShouldBe(Enumerable.Range(1, Posted).Select(static i => (long)i));
        feed.Select(static r => (r.Source, r.SourceOffset)).Distinct().Count().ShouldBe(Posted);
        var records = feed.GroupBy(static r => Encoding.UTF8.GetString(r.Key.Span)).ToList();
        records.Count.ShouldBe(Keys);
        foreach (var record in records)
        {
            record.Select(static r => JsonElement.Parse(r.Data.Span).GetProperty("name").GetInt32())
                .ShouldBe(Enumerable.Range(0, Posted / Keys), record.Key);
        }
    }

    /// <summary>By partition: the last offset of it that is in the feed.</summary>
    public async Task<IReadOnlyDictionary<string, long>> ReachedAsync() => await _feeds.ReadSourcesAsync("c", "users/", default);

    /// <summary>Where the leg stands by what it recorded.</summary>
    public async Task<Dictionary<int, long>> RecordedAsync() =>
        (await Store.ReadPositionsAsync(new("default/c", Duplex.Engine.State.Side.A), default))
        .ToDictionary(static p => p.Partition, static p => p.Offset);

    public async ValueTask DisposeAsync()
    {
        if (_log is not null)
        {
            await StopAsync();
        }

        Directory.Delete(_data, recursive: true);
    }

    private bool IsTold()
    {
        try
        {
            Posted = (int)_log!.ReadPositionAsync("posts", default).GetAwaiter().GetResult()!.Major;
            return true;
        }
        catch (SyncException)
        {
            return false;
        }
    }

    private async Task<IReadOnlyList<FeedRecord>> ReadAsync(long after)
    {
        var all = new List<FeedRecord>();
        while (await _feeds.ReadAsync("c", after, 5000, null, default) is { Count: > 0 } page)
        {
            all.AddRange(page);
            after = page[^1].Offset;
        }

        return all;
    }
}
