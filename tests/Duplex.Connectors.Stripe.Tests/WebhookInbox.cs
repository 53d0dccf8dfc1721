using System.Collections.Concurrent;
using System.Net;

namespace Duplex.Connectors.Stripe.Tests;

/// <summary>Takes webhooks by HTTP as the server does: 2xx only once the journal has the changes.</summary>
internal sealed class WebhookInbox : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _loop;

    public WebhookInbox(IWebhookSource source, Journal journal)
    {
        Address = Listen();
        _loop = RunAsync(source, journal);
    }

    public Uri Address { get; }

    public ConcurrentQueue<int> Answers { get; } = [];

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _loop;
        _listener.Close();
    }

    private Uri Listen()
    {
        for (var attempt = 0; ; attempt++)
        {
            var address = new Uri($"http://127.0.0.1:{Random.Shared.Next(20_000, 60_000)}/hook/");
            _listener.Prefixes.Clear();
            _listener.Prefixes.Add(address.ToString());
            try
            {
                _listener.Start();
                return address;
            }
            catch (HttpListenerException) when (attempt < 50)
            {
                // The port is taken: another one is tried.
            }
        }
    }

    private async Task RunAsync(IWebhookSource source, Journal journal)
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            var verdict = await source.ReceiveAsync(
                new WebhookDelivery(body.ToArray(), name => context.Request.Headers[name]), CancellationToken.None);
            context.Response.StatusCode = verdict.Status;
            Answers.Enqueue(verdict.Status);
            if (verdict.Batch is not null)
            {
                journal.Append(verdict.Batch);
            }

            context.Response.Close();
        }
    }
}
