using System.Globalization;
using System.Text;
using System.Text.Json;
using Duplex.Conformance;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Schemas;
using Duplex.Sdk;
using Duplex.Storage.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Feeds.Tests;

/// <summary>
/// An engine with customers on embedded stores. Changes go straight into the log. It can be stopped and started again on the same
/// data.
/// </summary>
internal sealed class FeedBed : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("duplex-feeds-").FullName;
    private readonly Dictionary<string, CustomerModel> _customers = [];
    private EmbeddedChangeLog _log = null!;
    private bool _runs;

    /// <summary>Partitions of a table when the engine makes it.</summary>
    public int Partitions { get; init; } = 1;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    private string Aside => Path.Combine(_data, "aside");

    public SyncEngine Engine { get; private set; } = null!;

    public EmbeddedStateStore Store { get; private set; } = null!;

    public IFeedStore Feeds { get; private set; } = null!;

    /// <summary>Which commits of the state store fail.</summary>
    public FailingCommits Commits { get; } = new();

    /// <summary>Which appends to feeds are refused or wait.</summary>
    public FeedDoor Door { get; } = new();

    /// <summary>Adds or replaces a customer; counts from the next start.</summary>
    public void Customer(string name, FeedStart? start = null, OutputSchema? schema = null,
        params (string Table, string Mapping)[] tables)
    {
        _customers[name] = new CustomerModel
        {
            Name = name,
            Tenant = "default",
            Start = start ?? FeedStart.Latest,
            Feed = new FeedSpec(name, TimeSpan.FromDays(1), 1L << 30),
            Path = $"/customers/{name}",
            Tables = tables.ToDictionary(static t => t.Table, t =>
            {
                var (document, findings) = MappingDocument.Read(t.Mapping, $"{t.Table}.yaml", t.Table);
                findings.ShouldBeEmpty();
                return new TableModel(t.Table, document!, schema);
            }),
        };
    }

    /// <summary>A schema that takes every full name but one.</summary>
    public static OutputSchema SchemaWithout(string fullName) => OutputSchema.Compile(
        """{"properties":{"fullName":{"not":{"const":"*"}}}}""".Replace("*", fullName, StringComparison.Ordinal)).Schema!;

    public async Task StartAsync()
    {
        _log = await EmbeddedChangeLog.OpenAsync(_data);
        Store = await EmbeddedStateStore.OpenAsync(_data);
        Feeds = await EmbeddedFeedStore.OpenAsync(_data);
        var model = new EngineModel
        {
            DataDirectory = _data,
            Connections = new Dictionary<string, ConnectionModel>(),
            Syncs = new Dictionary<string, SyncModel>(),
            Customers = _customers,
            Log = new LogModel { Partitions = Partitions },
        };
        Engine = new SyncEngine(new EngineParts(
            model, _log, Commits.Around(Store), new RateBudget(Clock), Clock, NullLoggerFactory.Instance)
        {
            Feeds = Door.Around(Feeds),
        });
        await Engine.StartAsync(CancellationToken.None);
        _runs = true;
    }

    public async Task StopAsync()
    {
        _runs = false;
        await Engine.StopAsync(CancellationToken.None);
        await Engine.DisposeAsync();
        await Feeds.DisposeAsync();
        await _log.DisposeAsync();
        await Store.DisposeAsync();
    }

    /// <summary>Gives the stopped engine an empty log.</summary>
    public void PutLogAside()
    {
        Directory.CreateDirectory(Aside);
        foreach (var file in Directory.GetFiles(_data, "log.db*"))
        {
            File.Move(file, Path.Combine(Aside, Path.GetFileName(file)));
        }
    }

    /// <summary>Appends to the log of the stopped engine.</summary>
    public async Task AppendToLogAsync(string table, params (int Id, string Name)[] rows)
    {
        _log = await EmbeddedChangeLog.OpenAsync(_data);
        await PostAsync(table, rows);
        await _log.DisposeAsync();
    }

    /// <summary>Removes named values of the stopped engine's state store.</summary>
    public async Task ForgetAsync(string prefix)
    {
        await using var store = await EmbeddedStateStore.OpenAsync(_data);
        var names = (await store.ListValuesAsync(prefix, CancellationToken.None)).Select(static v => v.Key).ToArray();
        names.ShouldNotBeEmpty();
        await store.CommitAsync([.. names.Select(static n => new Duplex.Engine.State.StateMutation.PutValue(n, null))]);
    }

    /// <summary>Gives the stopped engine back the log that it had.</summary>
    public void PutLogBack()
    {
        Directory.GetFiles(_data, "log.db*").ToList().ForEach(File.Delete);
        foreach (var file in Directory.GetFiles(Aside))
        {
            File.Move(file, Path.Combine(_data, Path.GetFileName(file)));
        }
    }

    /// <summary>Edits a named value of the stopped engine's state store.</summary>
    public async Task EditValueAsync(string name, Func<string, string> edit)
    {
        await using var store = await EmbeddedStateStore.OpenAsync(_data);
        await store.CommitAsync(new Duplex.Engine.State.StateMutation.PutValue(
            name, edit((await store.ReadValueAsync(name, CancellationToken.None))!)));
    }

    /// <summary>Appends changes of a table: row <c>{"id":…,"name":…}</c> each.</summary>
    public Task PostAsync(string table, params (int Id, string Name)[] rows) =>
        PostAsync(table, [.. rows.Select(static r => new Versioned(r.Id, r.Name, "-"))]);

    /// <summary>The same with versions and operations.</summary>
    public async Task PostAsync(string table, params Versioned[] rows)
    {
        await _log.EnsureTopicAsync(new TopicSpec(table, 3, TimeSpan.FromDays(1), 1L << 30), CancellationToken.None);
        using var batch = new ChangeBatch();
        foreach (var row in rows)
        {
            var image = new Sdk.Record(Encoding.UTF8.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $$"""{"id":{{row.Id}},"name":"{{row.Name}}"}""")));
            ChangeEnvelope.Add(batch, new Change
            {
                Operation = row.Operation,
                Stream = table,
                Key = RecordKey.Of(row.Id.ToString(CultureInfo.InvariantCulture)),
                Before = row.Operation == ChangeOperation.Delete ? image : null,
                After = row.Operation == ChangeOperation.Delete ? null : image,
                Version = row.Version == "-" ? null : row.Version.Trim('\''),
                IsVersionNumber = row.Version is not ("-" or ['\'', ..]),
                SourceMicros = 1_700_000_000_000_000,
            }, "ingest", "sync");
        }

        await _log.AppendAsync("posts", batch, static stream => stream, CancellationToken.None);
    }

    /// <summary>The feed's records as <c>offset table data</c>.</summary>
    public async Task<List<string>> ReadAsync(string customer, int limit = 1000) =>
        [.. (await Feeds.ReadAsync(customer, 0, limit, null, CancellationToken.None)).Select(static r =>
            string.Create(CultureInfo.InvariantCulture, $"{r.Offset} {r.Table} {Encoding.UTF8.GetString(r.Data.Span)}"))];

    public async Task UntilAsync(string customer, long records, TimeSpan? patience = null)
    {
        using var deadline = new CancellationTokenSource(patience ?? TimeSpan.FromMinutes(3));
        await Feeds.WaitAsync(customer, records - 1, deadline.Token);
    }

    public async Task<Duplex.Engine.Diagnostics.CustomerStatus> StatusAsync(string customer) =>
        (await Engine.StatusAsync(CancellationToken.None)).Customers.Single(c => c.Name == customer);

    public async ValueTask DisposeAsync()
    {
        if (_runs)
        {
            await StopAsync();
        }

        Directory.Delete(_data, recursive: true);
    }
}

/// <summary>A change of a row.</summary>
/// <param name="Id">The row's key.</param>
/// <param name="Name">The row's name.</param>
/// <param name="Version">A number, a text in quotes, or a dash for none.</param>
internal sealed record Versioned(int Id, string Name, string Version)
{
    public ChangeOperation Operation { get; init; } = ChangeOperation.Update;
}
