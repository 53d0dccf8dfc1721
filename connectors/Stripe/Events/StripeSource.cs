using System.Runtime.CompilerServices;
using System.Text.Json;
using Duplex.Connectors.Stripe.Listing;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Connectors.Stripe.Webhooks;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Events;

/// <summary>
/// Changes of an account: a snapshot by list, then the Events API for what webhooks miss, and webhooks as they come.
/// The same event by both ways has the same delivery id, by which the log drops the second one.
/// </summary>
internal sealed class StripeSource : IWebhookSource
{
    /// <summary>How much earlier than the snapshot's start events are read, because clocks of Stripe's servers
    /// differ.</summary>
    private const long StartMarginSeconds = 5;

    private readonly ConnectorContext _context;
    private readonly IReadOnlyList<string> _streams;
    private readonly StripeClient _client;
    private readonly EventReader _reader;
    private readonly SignatureCheck _signature;
    private readonly DeliveryWatch _deliveries;
    private readonly TimeSpan _interval;
    private volatile SourceState _state = new(SourcePhase.Starting);

    public StripeSource(ConnectorContext context, IReadOnlyList<string> streams)
    {
        var settings = context.Settings;
        _context = context;
        _streams = [.. streams.Select(static s => StripeStream.Of(s).Name).Distinct()];
        _client = new StripeClient(context);
        _reader = new EventReader(context, _streams);
        _signature = new SignatureCheck(
            settings.Get(StripeSettings.WebhookSecret), settings.Get(StripeSettings.WebhookTolerance), context.Clock);
        _deliveries = new DeliveryWatch(settings.Get(StripeSettings.WebhookSecret).Count > 0, context.Clock);
        _interval = settings.Has(StripeSettings.PollInterval) || !settings.Has(StripeSettings.WebhookSecret)
            ? settings.Get(StripeSettings.PollInterval)
            : TimeSpan.FromSeconds(30);
    }

    public SourceState State => _state;

    public async IAsyncEnumerable<ChangeBatch> ReadAsync(
        Position? from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _state = new SourceState(SourcePhase.Starting);
        var poll = NewPoll();
        var (progress, isStart) = await BeginAsync(poll, from, cancellationToken);
        if (isStart)
        {
            yield return new ChangeBatch(16) { Position = progress.Next() };
        }

        foreach (var stream in _streams.Where(s => !progress.IsSnapshotted(s)))
        {
            await foreach (var batch in SnapshotAsync(StripeStream.Of(stream), progress, poll, cancellationToken))
            {
                yield return batch;
            }
        }

        while (true)
        {
            Heard(SourcePhase.Streaming, progress, _deliveries.Warning(poll.ServerSeconds));
            await foreach (var batch in poll.ReadAsync(progress, cancellationToken))
            {
                if (batch.Count > 0)
                {
                    _deliveries.Polled(progress.Newest);
                }

                yield return batch;
            }

            await Task.Delay(_interval, _context.Clock, cancellationToken);
        }
    }

    /// <summary>Stripe keeps its events whatever is confirmed.</summary>
    public ValueTask ConfirmAsync(Position position, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async Task<Position?> ResnapshotAsync(Position? saved, CancellationToken cancellationToken) =>
        (await StartAsync(NewPoll(), (saved?.Epoch ?? 0) + 1, cancellationToken)).Next();

    /// <summary>Nothing was made at Stripe.</summary>
    public Task RemoveAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask<WebhookVerdict> ReceiveAsync(WebhookDelivery delivery, CancellationToken cancellationToken)
    {
        if (_signature.Refusal(delivery.Header("Stripe-Signature"), delivery.Body.Span) is { } refusal)
        {
            return ValueTask.FromResult(new WebhookVerdict(401, refusal, null));
        }

        _deliveries.Delivered();
        if (Parse(delivery.Body) is not { } item || !EventReader.IsEvent(item))
        {
            return ValueTask.FromResult(new WebhookVerdict(400, "The body is not an event of Stripe.", null));
        }

        var batch = new ChangeBatch(delivery.Body.Length + 1024);
        if (IsOfAccount(item) && _reader.Read(item) is { } change)
        {
            _reader.Add(batch, change);
        }

        return ValueTask.FromResult(new WebhookVerdict(200, null, batch));
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private EventPoll NewPoll() =>
        new(_client, _reader, _streams, _context.Settings.Get(StripeSettings.EventOverlap));

    private async Task<(SourceProgress Progress, bool IsStart)> BeginAsync(
        EventPoll poll, Position? from, CancellationToken cancellationToken)
    {
        if (from is null)
        {
            return (await StartAsync(poll, 1, cancellationToken), true);
        }

        var progress = SourceProgress.Of(from);
        await poll.AskTimeAsync(cancellationToken);
        poll.ThrowIfGone(progress);
        var account = await AccountAsync(cancellationToken);
        if (account is not null && progress.Account is not null && account != progress.Account)
        {
            throw new SyncException(ErrorCode.SourceGap,
                $"The key is of account {account}, and the stored position of account {progress.Account}.",
                "Restore the key, or run duplex resnapshot on the connection.");
        }

        return (progress, false);
    }

    private async Task<SourceProgress> StartAsync(EventPoll poll, long epoch, CancellationToken cancellationToken)
    {
        await poll.AskTimeAsync(cancellationToken);
        var now = poll.ServerSeconds > 0
            ? poll.ServerSince
            : _context.Clock.GetUtcNow().ToUnixTimeSeconds();
        return SourceProgress.Start(epoch, now - StartMarginSeconds, await AccountAsync(cancellationToken));
    }

    /// <summary>The id of the key's account; null when the key may not ask.</summary>
    private async Task<string?> AccountAsync(CancellationToken cancellationToken)
    {
        var reply = await _client.ReadAsync(StripeRequest.Get("/v1/account", "/v1/account"), 3, cancellationToken);
        if (reply.Done)
        {
            return reply.Record.Root.TryGetProperty("id", out var id) ? id.GetString() : null;
        }

        return reply.Status is 403 or 404
            ? null
            : throw new SyncException(StripeErrors.AsSource(reply.Error));
    }

    private async IAsyncEnumerable<ChangeBatch> SnapshotAsync(
        StripeStream stream, SourceProgress progress, EventPoll poll,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Heard(SourcePhase.Snapshot, progress);
        var polled = _context.Clock.GetTimestamp();
        var walk = new RangeWalk(_client, stream, _context.Settings.Get(StripeSettings.BackfillParallelism));
        var remaining = progress.Remaining(stream.Name, RangeWalk.Whole(stream));
        await foreach (var page in walk.ReadAsync(remaining, cancellationToken))
        {
            progress.Walked(page);
            yield return Batch(stream, page, progress);
            Heard(SourcePhase.Snapshot, progress);
            if (_context.Clock.GetElapsedTime(polled) < _interval)
            {
                continue;
            }

            await foreach (var batch in poll.ReadAsync(progress, cancellationToken))
            {
                yield return batch;
            }

            polled = _context.Clock.GetTimestamp();
        }

        progress.Snapshotted(stream.Name);
        yield return new ChangeBatch(16) { Position = progress.Next() };
    }

    private ChangeBatch Batch(StripeStream stream, WalkPage page, SourceProgress progress)
    {
        var batch = new ChangeBatch();
        foreach (var item in page.Items.Where(static item => !DeletedMark.IsOn(item)))
        {
            _reader.Add(batch, new Change
            {
                Operation = ChangeOperation.Read,
                Stream = stream.Name,
                Key = StripeReader.KeyOf(item),
                After = StripeReader.Copy(item),
                SourceMicros = page.Reply.SinceMicros,
            });
        }

        batch.Position = progress.Next();
        return batch;
    }

    private void Heard(SourcePhase phase, SourceProgress progress, string? warning = null) =>
        _state = new SourceState(phase, progress.Rows, LastHeardAt: _context.Clock.GetUtcNow(), Warning: warning);

    /// <summary>A platform's endpoint also hears of its connected accounts, whose objects are other objects.</summary>
    private bool IsOfAccount(JsonElement item)
    {
        var origin = item.TryGetProperty("account", out var a) && a.ValueKind == JsonValueKind.String
            ? a.GetString() : null;
        return origin is null || origin == _context.Settings.Get(StripeSettings.Account);
    }

    private static JsonElement? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonElement.Parse(body.Span);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
