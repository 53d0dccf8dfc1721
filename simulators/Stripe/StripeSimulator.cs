using System.Net;
using System.Security.Cryptography;
using System.Text;
using Duplex.Simulators.Stripe.Control;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Resources;
using Duplex.Simulators.Stripe.Store;
using Duplex.Simulators.Stripe.Webhooks;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Duplex.Simulators.Stripe;

/// <summary>
/// A running simulator of one Stripe account: the REST API under <c>/v1</c>, webhooks, and controls under
/// <c>/_sim</c>. Listens on the loopback interface only.
/// </summary>
/// <remarks>All members are safe for parallel use. What the members do is also there over HTTP.</remarks>
public sealed class StripeSimulator : IAsyncDisposable
{
    private readonly StripeSimulatorOptions options;
    private readonly SimulatedClock clock;
    private readonly Account account;
    private readonly FaultPlan faults;
    private readonly RequestExecutor executor;
    private WebApplication? host;

    private StripeSimulator(StripeSimulatorOptions options)
    {
        this.options = options;
        clock = new SimulatedClock(options.Time);
        faults = new FaultPlan(options.Seed ?? 1);
        Webhooks = new WebhookSender(options, clock, faults);
        var seed = options.Seed ?? RandomNumberGenerator.GetInt32(int.MaxValue);
        account = new Account(clock, seed, options.SearchLag) { Secrets = new WebhookSecrets(Webhooks) };
        account.Raised = Webhooks.Publish;
        executor = new RequestExecutor(account, options);
    }

    /// <summary>Where the API is, such as <c>http://127.0.0.1:40123/</c>.</summary>
    public Uri BaseAddress { get; private set; } = new("http://127.0.0.1/");

    /// <summary>The secret key that may do everything.</summary>
    public string ApiKey => options.ApiKey;

    /// <summary>The simulated time.</summary>
    public DateTimeOffset Now => clock.Now;

    /// <summary>The faults that are armed, with what is left of each.</summary>
    public IReadOnlyList<FaultRule> Faults => faults.Rules();

    /// <summary>How often each kind of fault struck.</summary>
    public IReadOnlyDictionary<FaultKind, long> FaultCounts => faults.Counts();

    /// <summary>Number of events that are kept.</summary>
    public int EventCount
    {
        get
        {
            lock (account.Gate)
            {
                return account.Events.Count;
            }
        }
    }

    /// <summary>API requests answered since the start or the last reset.</summary>
    public long RequestCount => Statistics.Requests;

    /// <summary>API writes that changed something; dashboard edits and seeds are not among them.</summary>
    public long WriteCount => Statistics.WritesChanged;

    /// <summary>Number of API writes that changed each object, by its id.</summary>
    public IReadOnlyDictionary<string, int> WritesByObject => Statistics.WritesByObject;

    /// <summary>Webhook deliveries that wait or run.</summary>
    public int PendingWebhooks => Webhooks.Pending;

    internal RequestStatistics Statistics { get; } = new();

    internal WebhookSender Webhooks { get; }

    /// <summary>Starts a simulator; it answers once this returns.</summary>
    public static async Task<StripeSimulator> StartAsync(
        StripeSimulatorOptions? options = null, CancellationToken cancellationToken = default)
    {
        var simulator = new StripeSimulator(options ?? new StripeSimulatorOptions());
        try
        {
            simulator.Prepare();
            await simulator.ListenAsync(cancellationToken);
            return simulator;
        }
        catch
        {
            await simulator.DisposeAsync();
            throw;
        }
    }

    /// <summary>Arms a fault.</summary>
    public void AddFault(FaultRule rule)
    {
        if (rule.Kind == FaultKind.StaleRead)
        {
            lock (account.Gate)
            {
                account.Past.AreKept = true;
            }
        }

        faults.Add(rule);
    }

    /// <summary>Disarms every fault.</summary>
    public void ClearFaults() => faults.Clear();

    /// <summary>Forgets objects, events, keys, faults, counts and the clock's offset; webhook addresses given at the
    /// start come back.</summary>
    public void Reset()
    {
        lock (account.Gate)
        {
            faults.Clear();
            faults.ClearCounts();
            clock.Reset();
            Webhooks.ClearQueue();
            Webhooks.Counts.Clear();
            account.Clear();
            Statistics.Clear();
        }

        AddConfiguredWebhook();
    }

    /// <summary>Moves the simulated clock; keys and events expire by it, webhooks are repeated by it.</summary>
    public void SetClock(DateTimeOffset now, bool frozen = false) => clock.Set(now, frozen);

    /// <summary>Moves the simulated clock forward.</summary>
    public void AdvanceClock(TimeSpan by) => clock.Advance(by);

    /// <summary>Creates objects of a type from a JSON array or newline-delimited JSON of create parameters.</summary>
    /// <param name="json">UTF-8; beside the parameters each object may give <c>id</c> and <c>created</c>.</param>
    /// <param name="type">The path segment, such as <c>customers</c>.</param>
    /// <param name="events">Whether events and webhooks are raised.</param>
    /// <returns>The number of objects.</returns>
    public int Seed(ReadOnlyMemory<byte> json, string type = "customers", bool events = false) =>
        ObjectSeed.FromJson(
            account,
            ResourceCatalog.ByPath(type) ?? throw new FormatException($"There are no objects called {type}."),
            json,
            events);

    /// <summary>Makes up customers with distinct names and addresses.</summary>
    public int SeedCustomers(int count, bool events = false) => ObjectSeed.Customers(account, count, events);

    /// <summary>Changes something as a person on the dashboard does: no key of ours is on the events.</summary>
    /// <param name="method"><c>POST</c> or <c>DELETE</c>.</param>
    /// <param name="path">Path of the API, such as <c>/v1/customers/cus_1</c>.</param>
    /// <param name="form">Parameters as the API takes them, form-encoded.</param>
    /// <param name="nullRequest">Whether events show <c>"request": null</c> as very old ones do.</param>
    /// <returns>The object's JSON.</returns>
    public byte[] EditOnDashboard(string method, string path, string form = "", bool nullRequest = false)
    {
        var operation = OperationTable.Find(method, path, out var objectId)
            ?? throw StripeException.UnknownUrl(method, path);
        var fields = FormNode.Hash();
        FormDecoder.Decode(Encoding.UTF8.GetBytes(form), fields);
        var request = new ApiRequest
        {
            RequestId = account.Ids.Next("req_", 14),
            Operation = operation,
            ObjectId = objectId,
            Path = path,
            Form = fields,
        };
        lock (account.Gate)
        {
            var cause = new EventCause(null, null, nullRequest);
            var transaction = new Transaction(account, cause);
            var response = executor.Execute(request, transaction);
            account.Apply(transaction);
            account.Journal?.Flush();
            return response.Body.ToArray();
        }
    }

    /// <summary>Adds a webhook endpoint that wants the given types (all by default) and returns its id.</summary>
    /// <param name="url">Where events are posted.</param>
    /// <param name="secrets">Signing secrets, one signature each; empty makes one up.</param>
    /// <param name="enabledEvents">Event types; null for all.</param>
    public string AddWebhook(Uri url, IReadOnlyList<string> secrets, IReadOnlyList<string>? enabledEvents = null)
    {
        var form = new StringBuilder("url=").Append(Uri.EscapeDataString(url.AbsoluteUri));
        foreach (var type in enabledEvents ?? ["*"])
        {
            form.Append("&enabled_events[]=").Append(Uri.EscapeDataString(type));
        }

        var made = Json.Object(EditOnDashboard("POST", "/v1/webhook_endpoints", form.ToString()));
        var id = Json.Text(made, "id")!;
        if (secrets.Count > 0)
        {
            RotateSecrets(id, secrets);
        }

        return id;
    }

    /// <summary>Replaces the secrets of a webhook endpoint; while one is rotated, two sign.</summary>
    public void RotateSecrets(string endpointId, IReadOnlyList<string> secrets)
    {
        lock (account.Gate)
        {
            account.SetSecrets(endpointId, secrets);
            account.Journal?.Flush();
        }
    }

    /// <summary>The signing secrets of a webhook endpoint.</summary>
    public IReadOnlyList<string> SecretsOf(string endpointId)
    {
        lock (account.Gate)
        {
            return account.Secrets.Of(endpointId);
        }
    }

    /// <summary>Sends an event to the webhook endpoints once more.</summary>
    public void ResendEvent(string eventId)
    {
        lock (account.Gate)
        {
            Webhooks.Publish(account.Events.Find(eventId) ?? throw StripeException.Missing("event", eventId));
        }
    }

    /// <summary>The JSON of every live object of a type, oldest first.</summary>
    /// <param name="type">The path segment, such as <c>customers</c>.</param>
    public IReadOnlyList<byte[]> Objects(string type) => Objects(
        ResourceCatalog.ByPath(type) ?? throw new FormatException($"There are no objects called {type}."));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Webhooks.DisposeAsync();
        if (host is not null)
        {
            await host.StopAsync(new CancellationToken(canceled: true));
            await host.DisposeAsync();
        }

        account.Journal?.Dispose();
    }

    /// <summary>Waits until the process is told to end.</summary>
    public Task WaitForShutdownAsync() => host!.WaitForShutdownAsync();

    internal IReadOnlyList<byte[]> Objects(Resource resource)
    {
        lock (account.Gate)
        {
            return [.. account.Table(resource).Live().Select(static stored => stored.Json)];
        }
    }

    internal int CountOf(Resource resource)
    {
        lock (account.Gate)
        {
            return account.Table(resource).Count;
        }
    }

    private void Prepare()
    {
        if (options.DataFolder is { } folder)
        {
            lock (account.Gate)
            {
                account.Journal = Journal.Open(folder, account);
            }
        }

        AddConfiguredWebhook();
        if (CountOf(ResourceCatalog.Customers) == 0)
        {
            SeedCustomers(options.SeedCustomers);
        }
    }

    private void AddConfiguredWebhook()
    {
        if (options.WebhookUrl is not { } url)
        {
            return;
        }

        var known = Objects(ResourceCatalog.WebhookEndpoints).Select(Json.Object)
            .FirstOrDefault(endpoint => Json.Text(endpoint, "url") == url.AbsoluteUri);
        if (known is null)
        {
            AddWebhook(url, options.WebhookSecrets);
        }
        else if (options.WebhookSecrets.Count > 0)
        {
            RotateSecrets(Json.Text(known, "id")!, options.WebhookSecrets);
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, options.Port, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        host = builder.Build();
        var pipeline = new RequestPipeline(account, executor, options, faults, Statistics);
        host.Run(context => context.Request.Path.StartsWithSegments("/_sim")
            ? ControlEndpoints.HandleAsync(context, this)
            : pipeline.HandleAsync(context));
        await host.StartAsync(cancellationToken);
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        BaseAddress = new Uri(addresses.Addresses.First() + "/");
    }
}
