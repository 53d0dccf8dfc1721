using System.Net.Http.Headers;
using System.Text;
using Duplex.Cli;
using Duplex.Client;
using Duplex.Engine.Config;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Server;
using Duplex.Simulators.Stripe;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace Duplex.Server.Tests;

/// <summary>A server in this process on free ports, between two simulated Stripe accounts, with its stores in a
/// temporary folder.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    public const string Secret = "whsec_of_the_tests_0123456789";
    public const string OperatorKey = "operator-key-0123456789";
    public const string ViewerKey = "viewer-key-0123456789";
    public const string OtherTenantKey = "globex-key-0123456789";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private RunningServer(ServerHost host, StripeSimulator shop, StripeSimulator billing, string folder)
    {
        Host = host;
        Shop = shop;
        Billing = billing;
        Folder = folder;
    }

    public ServerHost Host { get; }

    public StripeSimulator Shop { get; }

    public StripeSimulator Billing { get; }

    public string Folder { get; }

    public string ConfigPath => Path.Combine(Folder, "duplex.yaml");

    public static async Task<RunningServer> StartAsync(bool keys = false)
    {
        var folder = Directory.CreateTempSubdirectory("duplex-server-").FullName;
        var shop = await StripeSimulator.StartAsync();
        var billing = await StripeSimulator.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "duplex.yaml"),
            Yaml(shop.BaseAddress, billing.BaseAddress, keys));
        var (model, server, _) = ConfigFile.Require(Path.Combine(folder, "duplex.yaml"));
        var host = await ServerHost.StartAsync(
            model, server, ConnectorCatalog.Standard, NullLoggerFactory.Instance, CancellationToken.None);
        return new RunningServer(host, shop, billing, folder);
    }

    public static string Yaml(Uri shop, Uri billing, bool keys) =>
        $$"""
        data: ./data
        server:
          control_plane: 127.0.0.1:0
          data_plane: 127.0.0.1:0
          body_max: 64KB
          stop_within: 5m
        {{(keys ? Keys : "")}}
        ingest: { schemas: ./schemas }
        connections:
          shop:
            { connector: stripe, tenant: acme, api_key: "${env:NO_SUCH_KEY:-sk_test_duplex}", base_url: "{{shop}}",
              webhook_secret: "{{Secret}}", poll_interval: 1s }
          billing:
            { connector: stripe, tenant: acme, api_key: "${env:NO_SUCH_KEY:-sk_test_duplex}", base_url: "{{billing}}",
              webhook_secret: "{{Secret}}", poll_interval: 1s }
        syncs:
          customers:
            a: { connection: shop, stream: customers }
            b: { connection: billing, stream: customers }
            direction: two_way
            match: [ { a: email, b: email } ]
            mapping:
              - { a: name, b: name }
              - { a: email, b: email }
        """;

    /// <summary>A client that sends nothing of its own but the key.</summary>
    public HttpClient Http(string? key = null)
    {
        var http = new HttpClient { BaseAddress = Host.ControlAddress };
        if (key is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return http;
    }

    public DuplexClient Client(string? key = null) => new(Host.ControlAddress, key);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw new ShouldAssertException($"Not so within {Patience}: {what}");
            }
        }
    }

    public async Task UntilReadyAsync()
    {
        using var http = Http();
        await UntilAsync(async () => (await http.GetAsync("/readyz")).IsSuccessStatusCode, "the server is ready");
    }

    /// <summary>Two linked customers whose names a person is to decide between; returns the conflict's number.</summary>
    public async Task<long> AddConflictAsync(string keyA, string keyB)
    {
        Shop.Seed(Encoding.UTF8.GetBytes($$"""[{"id":"{{keyA}}","name":"Ada of A","email":"{{keyA}}@example.org"}]"""));
        Billing.Seed(Encoding.UTF8.GetBytes($$"""[{"id":"{{keyB}}","name":"Ada of B","email":"{{keyA}}@example.org"}]"""));
        var store = Host.Engine.Parts.Store;
        var (a, b) = (RecordKey.Of(keyA), RecordKey.Of(keyB));
        var commit =
            new StateCommit { Owner = "tests", Epoch = await store.AcquireAsync("tests", CancellationToken.None) };
        commit.Mutations.Add(new StateMutation.PutLink(new Link
        {
            Id = store.NextLinkId(),
            Sync = "acme/customers",
            A = a,
            B = b,
            ShadowA = Encoding.UTF8.GetBytes($$"""{"name":"Ada of A","email":"{{keyA}}@example.org"}"""),
            ShadowB = Encoding.UTF8.GetBytes($$"""{"name":"Ada of B","email":"{{keyA}}@example.org"}"""),
            Marks = """{"w":[],"h":["name"]}"""u8.ToArray(),
        }));
        commit.Mutations.Add(new StateMutation.PutConflict(new Conflict(
            0, "acme/customers", a, b, "name", "\"Ada of A\"", "\"Ada of B\"", null, "manual", 1, "\"Ada\"")));
        await store.CommitAsync(commit, CancellationToken.None);
        return (await store.ListConflictsAsync("acme/customers", true, 0, 1, CancellationToken.None))[0].Id;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync();
        await Host.DisposeAsync();
        await Shop.DisposeAsync();
        await Billing.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private const string Keys =
        $$"""
          api_keys:
            - { name: ops, key: "{{OperatorKey}}", role: operator }
            - { name: screen, key: "{{ViewerKey}}", role: viewer, tenant: acme }
            - { name: other, key: "{{OtherTenantKey}}", role: operator, tenant: globex }
        """;
}
