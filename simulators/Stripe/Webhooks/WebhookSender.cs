using System.Net.Http.Headers;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Webhooks;

/// <summary>
/// Sends events to the endpoints that want them, repeats what fails with growing waits, and misbehaves as faults say.
/// </summary>
/// <remarks>
/// Publishing never blocks; deliveries run beside each other, so that their order is not that of events.
/// </remarks>
internal sealed class WebhookSender : IAsyncDisposable
{
    private readonly StripeSimulatorOptions options;
    private readonly SimulatedClock clock;
    private readonly FaultPlan faults;
    private readonly HttpClient client;
    private readonly Lock gate = new();
    private readonly Dictionary<string, WebhookEndpoint> endpoints = new(StringComparer.Ordinal);
    private readonly PriorityQueue<Delivery, (long Due, long Order)> queue = new();
    private readonly SemaphoreSlim signal = new(0);
    private readonly SemaphoreSlim slots;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task loop;
    private long order;

    public WebhookSender(StripeSimulatorOptions options, SimulatedClock clock, FaultPlan faults)
    {
        this.options = options;
        this.clock = clock;
        this.faults = faults;
        slots = new SemaphoreSlim(options.WebhookConcurrency);
        client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
        {
            Timeout = options.WebhookTimeout,
        };
        clock.Moved += Wake;
        loop = Task.Run(RunAsync);
    }

    public WebhookCounts Counts { get; } = new();

    /// <summary>Deliveries that wait or run.</summary>
    public int Pending => Counts.Running + QueueLength();

    public void SetEndpoint(WebhookEndpoint endpoint)
    {
        lock (gate)
        {
            endpoints[endpoint.Id] = endpoint;
        }
    }

    public void RemoveEndpoint(string id)
    {
        lock (gate)
        {
            endpoints.Remove(id);
        }
    }

    public WebhookEndpoint? FindEndpoint(string id)
    {
        lock (gate)
        {
            return endpoints.GetValueOrDefault(id);
        }
    }

    /// <summary>Queues an event for every endpoint that wants it.</summary>
    public void Publish(StoredEvent happened)
    {
        lock (gate)
        {
            foreach (var endpoint in endpoints.Values)
            {
                if (endpoint.Wants(happened.Type))
                {
                    happened.AddPending(1);
                    Queue(happened, endpoint.Id, faults.ForWebhook(happened.Type));
                }
            }
        }
    }

    /// <summary>Forgets everything that waits, endpoints excepted.</summary>
    public void ClearQueue()
    {
        lock (gate)
        {
            queue.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        clock.Moved -= Wake;
        await stopping.CancelAsync();
        await loop;
        client.Dispose();
    }

    private void Queue(StoredEvent happened, string endpointId, FaultRule? fault)
    {
        var now = clock.Now;
        var delivery = new Delivery(happened, endpointId, now);
        var delay = fault?.DelayMilliseconds ?? 1000;
        switch (fault?.Kind)
        {
            case FaultKind.WebhookDrop:
                Counts.Dropped();
                return;
            case FaultKind.WebhookDuplicate:
                Enqueue(delivery, now);
                Enqueue(delivery with { Repeated = true }, now);
                break;
            case FaultKind.WebhookDelay:
                Enqueue(delivery, now + TimeSpan.FromMilliseconds(delay));
                break;
            case FaultKind.WebhookReorder:
                Enqueue(delivery, now + TimeSpan.FromMilliseconds(faults.Milliseconds(delay)));
                break;
            default:
                Enqueue(delivery with { Forged = fault?.Kind == FaultKind.WebhookForge }, now);
                break;
        }
    }

    private void Enqueue(Delivery delivery, DateTimeOffset due)
    {
        lock (gate)
        {
            queue.Enqueue(delivery, (due.UtcTicks, order++));
        }

        Wake();
    }

    private void Wake()
    {
        if (signal.CurrentCount == 0)
        {
            signal.Release();
        }
    }

    private int QueueLength()
    {
        lock (gate)
        {
            return queue.Count;
        }
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await slots.WaitAsync(stopping.Token);
                var delivery = await NextAsync();
                Counts.Started();
                _ = DeliverAsync(delivery);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The simulator is being disposed of.
        }
    }

    private async Task<Delivery> NextAsync()
    {
        while (true)
        {
            var wait = TimeSpan.FromHours(1);
            lock (gate)
            {
                if (queue.TryPeek(out _, out var next))
                {
                    var left = TimeSpan.FromTicks(next.Due - clock.Now.UtcTicks);
                    if (left <= TimeSpan.Zero)
                    {
                        return queue.Dequeue();
                    }

                    wait = left < wait ? left : wait;
                }
            }

            await signal.WaitAsync(wait + TimeSpan.FromMilliseconds(1), stopping.Token);
        }
    }

    private async Task DeliverAsync(Delivery delivery)
    {
        try
        {
            if (FindEndpoint(delivery.EndpointId) is { Enabled: true } endpoint)
            {
                await SendAsync(delivery, endpoint);
            }
        }
        finally
        {
            Counts.Ended();
            slots.Release();
        }
    }

    private async Task SendAsync(Delivery delivery, WebhookEndpoint endpoint)
    {
        var body = EventRendering.Render(delivery.Event, options.ApiVersion, spaced: true);
        IReadOnlyList<string> secrets = delivery.Forged ? ["whsec_forged"] : endpoint.Secrets;
        using var message = new HttpRequestMessage(HttpMethod.Post, endpoint.Url);
        message.Content = new ByteArrayContent(body);
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        message.Headers.TryAddWithoutValidation("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
        message.Headers.TryAddWithoutValidation(
            "Stripe-Signature", WebhookSignature.Header(body, clock.NowSeconds, secrets));
        var accepted = false;
        try
        {
            using var answer = await client.SendAsync(message, stopping.Token);
            accepted = answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            // Counted below like any answer that is not 2xx.
        }

        if (accepted)
        {
            Counts.Delivered();
            delivery.Event.AddPending(delivery.Repeated ? 0 : -1);
        }
        else if (!stopping.IsCancellationRequested)
        {
            Retry(delivery);
        }
    }

    private void Retry(Delivery delivery)
    {
        Counts.Failed();
        var wait = options.WebhookRetryFirst * Math.Pow(2, Math.Min(delivery.Attempts, 30));
        wait = wait < options.WebhookRetryMax ? wait : options.WebhookRetryMax;
        var due = clock.Now + wait;
        if (due - delivery.Since > options.WebhookAgeMax)
        {
            Counts.GivenUp();
            return;
        }

        Enqueue(delivery with { Attempts = delivery.Attempts + 1, Forged = false }, due);
    }

    private sealed record Delivery(StoredEvent Event, string EndpointId, DateTimeOffset Since)
    {
        public int Attempts { get; init; }

        public bool Repeated { get; init; }

        public bool Forged { get; init; }
    }
}
