using System.Text.Json;
using Duplex.Connectors.Stripe;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Delivery;
using Duplex.Engine.Diagnostics;
using Duplex.Sdk;
using Duplex.Simulators.Stripe;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Limits;
using Duplex.Storage.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.EndToEnd.Tests;

/// <summary>Two tenants of one process, each with two Stripe accounts of its own.</summary>
public sealed class TenantTests
{
    private const int Records = 60;

    [Fact]
    public async Task A_tenant_whose_sink_is_down_delays_no_other_and_loses_nothing_itself()
    {
        await using var house = await House.StartAsync();
        house.To("globex").AddFault(new FaultRule { Kind = FaultKind.ErrorBefore, Status = 503 });
        house.CreateOn("globex");
        await house.UntilAsync(s => s.Syncs.Single(x => x.Tenant == "globex").Legs.Sum(l => l.Failed) > 0,
            "the writes of globex fail");

        house.CreateOn("acme");
        await house.UntilAsync(_ => House.Names(house.To("acme")).Count == Records, "acme's records arrive");

        House.Names(house.To("globex")).ShouldBeEmpty();
        var status = await house.Engine.StatusAsync(default);
        status.Connections.Single(c => c is { Tenant: "globex", Name: "globex_to" }).Error.ShouldNotBeNull();
        status.Connections.Where(c => c.Tenant == "acme").ShouldAllBe(c => c.Error == null);
        status.Syncs.Single(s => s.Tenant == "acme").Legs.ShouldAllBe(l => l.Failed == 0 && l.Error == null);

        house.To("globex").ClearFaults();
        await house.UntilAsync(_ => House.Names(house.To("globex")).Count == Records, "globex' records arrive");
    }

    [Fact]
    public async Task Nothing_of_one_tenant_reaches_another_though_their_records_have_the_same_address()
    {
        await using var house = await House.StartAsync();
        house.CreateOn("acme");
        house.CreateOn("globex");
        await house.UntilAsync(_ => House.Names(house.To("acme")).Count == Records
            && House.Names(house.To("globex")).Count == Records, "all records arrive");
        await house.QuietAsync();

        foreach (var tenant in House.Tenants)
        {
            House.Names(house.To(tenant)).ShouldAllBe(n => n.StartsWith(tenant));
            House.Names(house.From(tenant)).ShouldAllBe(n => n.StartsWith(tenant));
        }
    }

    [Fact]
    public async Task What_the_counters_tell_is_what_the_accounts_have_counted()
    {
        await using var house = await House.StartAsync();
        house.CreateOn("acme");
        await house.UntilAsync(_ => House.Names(house.To("acme")).Count == Records, "acme's records arrive");
        house.To("acme").EditOnDashboard("POST", $"/v1/customers/{House.Ids(house.To("acme"))[0]}", "name=acme+of+the+dashboard");
        await house.UntilAsync(_ => House.Names(house.From("acme")).Contains("acme of the dashboard"), "the edit arrives");
        await house.QuietAsync();

        var status = await house.Engine.StatusAsync(default);
        var sync = status.Syncs.Single(s => s.Tenant == "acme");
        sync.Links.ShouldBe(Records);
        foreach (var (leg, source, sink) in new[] { ("a", "acme_from", house.To("acme")), ("b", "acme_to", house.From("acme")) })
        {
            var told = sync.Legs.Single(l => l.From == leg);
            told.Written.ShouldBe(sink.WriteCount, leg);
            told.Seen.ShouldBe(status.Connections.Single(c => c.Name == source).AppendedTotal, leg);
            told.ShouldSatisfyAllConditions(
                t => t.Behind.ShouldBe(0), t => t.Pending.ShouldBe(0), t => t.DeadLetters.ShouldBe(0), t => t.Failed.ShouldBe(0));
        }
    }

    private sealed class House : IAsyncDisposable
    {
        public static readonly string[] Tenants = ["acme", "globex"];

        private readonly Dictionary<string, StripeSimulator> _accounts = [];
        private readonly string _data = Directory.CreateTempSubdirectory("duplex-tenants-").FullName;
        private EmbeddedChangeLog? _log;
        private EmbeddedStateStore? _store;

        public SyncEngine Engine { get; private set; } = null!;

        public static async Task<House> StartAsync()
        {
            var house = new House();
            foreach (var name in Tenants.SelectMany(static t => new[] { $"{t}_from", $"{t}_to" }))
            {
                house._accounts[name] = await StripeSimulator.StartAsync(
                    new StripeSimulatorOptions { Limits = StripeLimits.None });
            }

            var result = ConfigLoader.Load(house.Yaml(), Path.Combine(house._data, "duplex.yaml"),
                new ConfigSources { Connectors = [new StripeConnector()] });
            result.Findings.Where(static f => f.Severity == FindingSeverity.Error).ShouldBeEmpty();
            house._log = await EmbeddedChangeLog.OpenAsync(house._data);
            house._store = await EmbeddedStateStore.OpenAsync(house._data);
            house.Engine = new SyncEngine(new EngineParts(result.Model!, house._log, house._store,
                new RateBudget(TimeProvider.System), TimeProvider.System, NullLoggerFactory.Instance));
            await house.Engine.StartAsync(CancellationToken.None);
            await house.UntilAsync(static s => s.Ready && s.Syncs.All(static x => x.State == RunState.Running), "ready");
            return house;
        }

        public static List<string> Names(StripeSimulator account) =>
            [.. account.Objects("customers").Select(static o => JsonElement.Parse(o).GetProperty("name").GetString()!)];

        public static List<string> Ids(StripeSimulator account) =>
            [.. account.Objects("customers").Select(static o => JsonElement.Parse(o).GetProperty("id").GetString()!)];

        public StripeSimulator From(string tenant) => _accounts[$"{tenant}_from"];

        public StripeSimulator To(string tenant) => _accounts[$"{tenant}_to"];

        public void CreateOn(string tenant)
        {
            for (var i = 0; i < Records; i++)
            {
                From(tenant).EditOnDashboard("POST", "/v1/customers", $"name={tenant}+{i}&email=c{i}@example.org");
            }
        }

        public async Task UntilAsync(Func<EngineStatus, bool> condition, string what)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
            while (await Engine.StatusAsync(default) is var status && !condition(status))
            {
                if (deadline.IsCancellationRequested)
                {
                    throw new TimeoutException($"{what}: {string.Join('\n', status.Syncs.SelectMany(static s => s.Legs))}");
                }

                await tick.WaitForNextTickAsync();
            }
        }

        /// <summary>Waits until both directions have seen all events of their accounts, and nothing more comes while every account is
        /// polled several times. A status may be a second old: each counts once.</summary>
        public async Task QuietAsync()
        {
            EngineStatus? last = null;
            var (still, before, polls) = (0, -1L, new Dictionary<string, long>());
            await UntilAsync(status =>
            {
                if (ReferenceEquals(status, last))
                {
                    return false;
                }

                last = status;
                var now = status.Connections.Sum(static c => c.AppendedTotal) + _accounts.Values.Sum(static a => a.WriteCount);
                if (now != before || !status.Syncs.SelectMany(static s => s.Legs).All(static l => l.Behind == 0 && l.Pending == 0))
                {
                    (still, before) = (0, now);
                    polls = _accounts.ToDictionary(static a => a.Key, static a => a.Value.RequestCount);
                    return false;
                }

                return ++still > 5 && _accounts.All(a => a.Value.RequestCount > polls[a.Key] + 5);
            }, "quiet");
        }

        public async ValueTask DisposeAsync()
        {
            if (Engine is not null)
            {
                await Engine.StopAsync(CancellationToken.None);
                await Engine.DisposeAsync();
                await _log!.DisposeAsync();
                await _store!.DisposeAsync();
            }

            foreach (var account in _accounts.Values)
            {
                await account.DisposeAsync();
            }

            Directory.Delete(_data, recursive: true);
        }

        private string Yaml()
        {
            var connections = _accounts.Select(static a => $$"""
                  {{a.Key}}: { connector: stripe, tenant: {{a.Key.Split('_')[0]}}, api_key: {{a.Value.ApiKey}},
                    base_url: "{{a.Value.BaseAddress}}", poll_interval: 200ms, requests_per_second: 0, requests_per_operation: 0 }
                """);
            var syncs = Tenants.Select(static t => $$"""
                  {{t}}:
                    a: { connection: {{t}}_from, stream: customers }
                    b: { connection: {{t}}_to, stream: customers }
                    match: [ email ]
                    mapping: [ { a: name, b: name }, { a: email, b: email } ]
                """);
            return $"data: {_data}\nconnections:\n{string.Join('\n', connections)}\nsyncs:\n{string.Join('\n', syncs)}\n";
        }
    }
}
