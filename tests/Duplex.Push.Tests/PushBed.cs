using System.Text;
using Duplex.Conformance;
using Duplex.Engine.Delivery;
using Duplex.Engine.Feeds;
using Duplex.Engine.Outbound;
using Duplex.Engine.Push;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Push.Tests;

/// <summary>A data directory with a feed, and a pusher that can be stopped and started again on it.</summary>
internal sealed class PushBed : IAsyncDisposable
{
    public const string Feed = "customer-a";
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private readonly string _directory;
    private readonly TimeProvider _clock;
    private readonly EmbeddedFeedStore _feeds;
    private readonly EmbeddedStateStore _state;
    private readonly long _epoch;
    private CancellationTokenSource? _stop;
    private Task? _running;
    private long _sourceOffset;

    private PushBed(TimeProvider clock, EmbeddedFeedStore feeds, EmbeddedStateStore state, long epoch, string directory)
    {
        (_clock, _feeds, _state, _epoch, _directory) = (clock, feeds, state, epoch, directory);
    }

    public IFeedStore Feeds => _feeds;

    public FeedPusher Pusher { get; private set; } = null!;

    public PushStatus Status => Pusher.Status;

    public static async Task<PushBed> OpenAsync(TimeProvider? clock = null)
    {
        clock ??= TimeProvider.System;
        var directory = Directory.CreateTempSubdirectory("duplex-push-").FullName;
        var options = new EmbeddedOptions { Clock = clock };
        var feeds = await EmbeddedFeedStore.OpenAsync(directory, options);
        var state = await EmbeddedStateStore.OpenAsync(directory, options);
        var epoch = await feeds.AcquireAsync(Feed);
        return new PushBed(clock, feeds, state, epoch, directory);
    }

    public static PushModel ModelOf(Uri url) => new()
    {
        Feed = Feed,
        Url = url,
        Secrets = [Secret],
        Jitter = 0,
        Allowed = [.. AddressPolicy.Allowing("127.0.0.1").Allowed],
    };

    /// <summary>Appends one record for each key.</summary>
    public async Task AppendAsync(params IEnumerable<string> keys)
    {
        FeedItem[] items = [.. keys.Select(key => new FeedItem(++_sourceOffset, "users",
            Encoding.UTF8.GetBytes($"[\"{key}\"]"), ChangeOperation.Update, $"event-{_sourceOffset}", null, 0,
            Encoding.UTF8.GetBytes($"{{\"id\":\"{key}\",\"n\":{_sourceOffset}}}")))];
        await _feeds.AppendAsync(Feed, _epoch, "users/0", items, CancellationToken.None);
    }

    public async Task AppendAsync(FeedItem item) =>
        await _feeds.AppendAsync(Feed, _epoch, "users/0", [item with { SourceOffset = ++_sourceOffset }], CancellationToken.None);

    public void Start(PushModel model, IFeedStore? feeds = null, Func<PushModel, HttpMessageHandler>? handler = null,
        Func<PushModel, IPushTransport>? topics = null, PushRoom? room = null)
    {
        Pusher = new FeedPusher(model, new PushParts(
            feeds ?? _feeds, _state, new RateBudget(_clock), _clock, NullLoggerFactory.Instance)
        {
            Handler = handler,
            Topics = topics,
            Room = room ?? new PushRoom(),
        });
        _stop = new CancellationTokenSource();
        _running = Pusher.RunAsync(_stop.Token);
    }

    /// <summary>Stops the pusher; the error that ended it before, if one did.</summary>
    public async Task<Exception?> StopAsync()
    {
        if (_running is null)
        {
            return null;
        }

        await _stop!.CancelAsync();
        var end = await Xunit.Record.ExceptionAsync(() => _running);
        _stop.Dispose();
        _running = null;
        return end;
    }

    /// <summary>What the start of another pusher of the feed does first.</summary>
    public async Task TakeOverAsync() => await _state.AcquireAsync($"push/{Feed}", CancellationToken.None);

    /// <summary>The error that ends the pusher by itself.</summary>
    public Task<Exception?> EndAsync() => Xunit.Record.ExceptionAsync(() => _running!)!;

    public async Task<FeedRecord> RecordAsync(long offset) =>
        (await _feeds.ReadAsync(Feed, offset - 1, 1, null, CancellationToken.None))[0];

    public async Task<List<FeedRecord>> RecordsAsync() => await _feeds.ReadAllAsync(feed: Feed);

    public async Task<long> PositionAsync() =>
        await _feeds.ReadConsumerAsync(Feed, FeedPusher.Consumer, CancellationToken.None) ?? 0;

    public Task DeliveredAsync(long count) => Eventually.BecomesAsync(() => Status.Delivered >= count && Status.InFlight == 0);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _feeds.DisposeAsync();
        await _state.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
