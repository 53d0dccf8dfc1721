using System.Collections.Concurrent;
using Duplex.Engine.Feeds;
using Duplex.Engine.Waiting;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Push;

/// <summary>One run of a <see cref="FeedPusher"/>: reads, sends, records. Driven by its loop; only requests run beside
/// it.</summary>
internal sealed partial class PushRun
{
    private const int PagesPerRound = 50;
    private static readonly long SaveEveryMicros = Micros(TimeSpan.FromMinutes(1));

    private readonly PushModel _model;
    private readonly PushParts _parts;
    private readonly Bell _bell;
    private readonly ILogger _logger;
    private readonly EndpointStore _endpoints;
    private readonly EndpointHealth _health;
    private readonly RetrySchedule _schedule;
    private readonly PushSender _sender;
    private readonly PushTally _tally = new();
    private readonly CancellationTokenSource _sending = new();
    private readonly CancellationTokenSource _arriving = new();
    private readonly ConcurrentQueue<(PushEntry Entry, PushOutcome Outcome)> _completed = new();
    private readonly List<Settled> _settling = [];
    private PushWindow _window = new(0);
    private EndpointState _state = new();
    private PushStatus? _status;
    private volatile bool _caughtUp;
    private volatile bool _disabled;
    private long _notBefore;
    private long _committed;
    private long _savedMicros;
    private int _inFlight;
    private bool _mustSave;
    private bool _opened;

    public PushRun(PushModel model, PushParts parts, Bell bell, ILogger logger)
    {
        (_model, _parts, _bell, _logger) = (model, parts, bell, logger);
        _endpoints = new EndpointStore(parts.Store, model.Feed);
        _health = new EndpointHealth(model.Parallelism, model.Feed.Length);
        _schedule = new RetrySchedule(model.Retry, model.Jitter);
        _sender = new PushSender(model, parts.HandlerOf(model), parts.Clock);
    }

    private long Now => _parts.Clock.NowMicros();

    public PushStatus? Status(SyncError? storage) => Volatile.Read(ref _status) is not { } status ? null
        : storage is null || status.State == PushState.Disabled ? status
        : status with { State = PushState.Failing, Error = storage };

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        _state = await _endpoints.OpenAsync(cancellationToken).ConfigureAwait(false);
        _disabled = _state.Disabled is not null;
        _health.HoldUntil(_state.HeldUntilMicros);
        _committed = await _parts.Feeds.ReadConsumerAsync(_model.Feed, FeedPusher.Consumer, cancellationToken)
            .ConfigureAwait(false) ?? 0;
        _window = new PushWindow(_committed);
        foreach (var offset in _state.Resend)
        {
            if (await ReadOneAsync(offset, cancellationToken).ConfigureAwait(false) is { } record)
            {
                _window.Add(new PushEntry(record, resent: true) { AttemptsBefore = record.Attempts }, Now);
            }
        }

        _opened = true;
        Publish();
    }

    /// <summary>Records on disk how requests ended; only then may the next records of their keys go.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        while (_completed.TryDequeue(out var done))
        {
            _inFlight--;
            _settling.Add(Judge(done.Entry, done.Outcome));
        }

        if (_settling.Count > 0)
        {
            FeedDelivery[] deliveries = [.. _settling.Where(static s => s.Delivery is not null).Select(static s => s.Delivery!.Value)];
            if (deliveries.Length > 0)
            {
                await _parts.Feeds.RecordDeliveriesAsync(_model.Feed, deliveries, cancellationToken).ConfigureAwait(false);
            }

            foreach (var settled in _settling)
            {
                Apply(settled);
            }

            _settling.Clear();
        }

        if (_mustSave || Now - _savedMicros >= SaveEveryMicros)
        {
            await SaveAsync(cancellationToken).ConfigureAwait(false);
        }

        if (_window.Position > _committed)
        {
            var position = _window.Position;
            await _parts.Feeds.CommitConsumerAsync(_model.Feed, FeedPusher.Consumer, position, rewind: false, cancellationToken)
                .ConfigureAwait(false);
            _committed = position;
        }

        Publish();
    }

    /// <summary>Reads on and sends what is due.</summary>
    public async Task AdvanceAsync(CancellationToken cancellationToken)
    {
        if (!_disabled)
        {
            await FillAsync(cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _notBefore, _health.NotBeforeMicros);
            var now = Now;
            while (_inFlight < _health.Slots && now >= _health.NotBeforeMicros && _window.TakeDue(now) is { } entry)
            {
                _inFlight++;
                _ = Task.Run(() => SendAsync(entry), CancellationToken.None);
            }
        }

        Publish();
    }

    /// <summary>How long nothing is to be done unless something happens.</summary>
    public TimeSpan Idle()
    {
        var now = Now;
        var until = now + Micros(TimeSpan.FromDays(1));
        if (!ReferenceEquals(_state, _endpoints.Stored))
        {
            until = _savedMicros + SaveEveryMicros;
        }

        if (!_disabled && _inFlight < _health.Slots)
        {
            var due = MayRead() ? now : _window.NextDue ?? long.MaxValue;
            until = Math.Min(until, Math.Max(due, _health.NotBeforeMicros));
        }

        return until <= now ? TimeSpan.Zero : TimeSpan.FromMilliseconds(((until - now) / 1000) + 1);
    }

    public async Task EnableAsync(CancellationToken cancellationToken)
    {
        _state = _state with
        {
            Disabled = null, Gone = false, EnabledMicros = Now, FailingSinceMicros = 0, HeldUntilMicros = 0,
        };
        await SaveAsync(cancellationToken).ConfigureAwait(false);
        _health.Reset();
        _window.BeginAnew(Now);
        _disabled = false;
        Log.Enabled(_logger, _model.Feed);
        Publish();
    }

    public async Task DisableAsync(string reason, CancellationToken cancellationToken)
    {
        Disable(reason, gone: false);
        await SaveAsync(cancellationToken).ConfigureAwait(false);
        Publish();
    }

    public async Task ResendAsync(long offset, int resendsMax, CancellationToken cancellationToken)
    {
        if (_window.Hurry(offset, Now) || _window.IsOpen(offset))
        {
            return;
        }

        var record = offset < 1 ? null : await ReadOneAsync(offset, cancellationToken).ConfigureAwait(false);
        if (record is null)
        {
            throw new SyncException(ErrorCode.SourceGap, $"Feed {_model.Feed} has no record at offset {offset}.");
        }

        if (offset > _window.ReadTo)
        {
            return;
        }

        if (_state.Resend.Count >= resendsMax)
        {
            throw new SyncException(ErrorCode.BrakeEngaged, $"{resendsMax} records are being sent again; wait for some of them.");
        }

        _state = _state with { Resend = [.. _state.Resend, offset] };
        await SaveAsync(cancellationToken).ConfigureAwait(false);
        _window.Add(new PushEntry(record, resent: true) { AttemptsBefore = record.Attempts }, Now);
    }

    /// <summary>Lets requests end, records what became of them and frees everything.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await _arriving.CancelAsync().ConfigureAwait(false);
        _sending.CancelAfter(patience);
        try
        {
            while (_inFlight > _completed.Count)
            {
                await _bell.WaitAsync(patience, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }

            if (_opened)
            {
                _mustSave = true;
                await SettleAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (SyncException e)
        {
            Log.Unrecorded(_logger, _model.Feed, e.Error.ToString());
        }
        finally
        {
            _sender.Dispose();
            _sending.Dispose();
            _arriving.Dispose();
        }
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static DateTimeOffset? InstantOf(long micros) =>
        micros <= 0 ? null : DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        for (var pages = 0; WantsMore(); pages++)
        {
            if (pages == PagesPerRound)
            {
                _bell.Ring();
                return;
            }

            var limit = _health.InDoubt ? 1
                : Math.Min(Math.Clamp(_model.Parallelism * 2, 16, 256), _model.WaitingMax - _window.Count);
            var page = await ReadPageAsync(limit, cancellationToken).ConfigureAwait(false);
            foreach (var record in page)
            {
                Take(record);
            }

            if (page.Count == 0)
            {
                _caughtUp = true;
                _ = ArriveAsync(_window.ReadTo);
            }
        }
    }

    /// <summary>While the endpoint is in doubt, a record is read only when none of those that wait is due.</summary>
    private bool WantsMore() => MayRead()
        && (!_health.InDoubt || (Now >= _health.NotBeforeMicros && !(_window.NextDue <= Now)));

    private bool MayRead() => !_caughtUp && _window.Count < _model.WaitingMax
        && (_health.InDoubt ? _inFlight == 0 && _window.Ready == 0 : _window.Ready < _model.Parallelism);

    private void Take(FeedRecord record)
    {
        _window.ReadTo = record.Offset;
        if (record.Status == FeedStatus.Failed)
        {
            return;
        }

        // Another consumer's acknowledgement reads as delivered too; what was pushed has attempts and no error.
        if (record is { Status: FeedStatus.Delivered, Attempts: > 0, Error: null })
        {
            return;
        }

        var entry = new PushEntry(record, resent: false);
        var due = Now;
        if (record.UpdatedMicros <= _state.EnabledMicros)
        {
            entry.AttemptsBefore = record.Attempts;
        }
        else if (record.Attempts > 0 && _schedule.After(record.Attempts, record.Offset) is { } wait)
        {
            due = record.UpdatedMicros + Micros(wait);
        }

        _window.Add(entry, due);
    }

    private async Task<IReadOnlyList<FeedRecord>> ReadPageAsync(int limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await _parts.Feeds.ReadAsync(_model.Feed, _window.ReadTo, limit, null, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (SyncException e) when (e.Error.Code == ErrorCode.SourceGap)
            {
                var feeds = await _parts.Feeds.DescribeAsync(cancellationToken).ConfigureAwait(false);
                var last = feeds.First(f => f.Name == _model.Feed).FirstOffset - 1;
                _tally.Missed += last - _window.ReadTo;
                Log.Missed(_logger, _model.Feed, last - _window.ReadTo, last);
                _window.ReadTo = last;
            }
        }
    }

    private async Task<FeedRecord?> ReadOneAsync(long offset, CancellationToken cancellationToken)
    {
        try
        {
            var page = await _parts.Feeds.ReadAsync(_model.Feed, offset - 1, 1, null, cancellationToken).ConfigureAwait(false);
            return page is [var record, ..] && record.Offset == offset ? record : null;
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.SourceGap)
        {
            return null;
        }
    }

    private async Task ArriveAsync(long after)
    {
        try
        {
            await _parts.Feeds.WaitAsync(_model.Feed, after, _arriving.Token).ConfigureAwait(false);
        }
        catch (Exception) when (_arriving.IsCancellationRequested)
        {
            return;
        }
        catch (Exception)
        {
            // Whatever ails the store shows when the loop reads on.
        }

        _caughtUp = false;
        _bell.Ring();
    }

    private async Task SendAsync(PushEntry entry)
    {
        PushOutcome outcome;
        try
        {
            outcome = await AttemptAsync(entry, _sending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_sending.IsCancellationRequested)
        {
            outcome = new PushOutcome(PushResult.NotSent);
        }
        catch (SyncException e) when (e.Error.Code is ErrorCode.SinkUnavailable or ErrorCode.SinkRateLimited)
        {
            outcome = new PushOutcome(PushResult.NotSent, RetryAfter: TimeSpan.FromSeconds(1));
        }
        catch (Exception e)
        {
            outcome = new PushOutcome(PushResult.Failed, $"{e.GetType().Name}: {e.Message}");
        }

        _completed.Enqueue((entry, outcome));
        _bell.Ring();
    }

    private async Task<PushOutcome> AttemptAsync(PushEntry entry, CancellationToken cancellationToken)
    {
        if (_model.RatePerSecond > 0)
        {
            var burst = Math.Max(1, (int)Math.Min(_model.RatePerSecond / 10, _model.Parallelism));
            await _parts.Budget.AcquireAsync($"push/{_model.Feed}", _model.RatePerSecond, burst, cancellationToken)
                .ConfigureAwait(false);
        }

        var record = entry.Record ?? await ReadOneAsync(entry.Offset, cancellationToken).ConfigureAwait(false);
        if (record is null)
        {
            return new PushOutcome(PushResult.Lost);
        }

        return _disabled || Now < Volatile.Read(ref _notBefore)
            ? new PushOutcome(PushResult.NotSent)
            : await _sender.SendAsync(record, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What follows of a request's end for its record; the endpoint's state follows at once.</summary>
    private Settled Judge(PushEntry entry, PushOutcome outcome)
    {
        var now = Now;
        _tally.Count(outcome, now);
        switch (outcome.Result)
        {
            case PushResult.Taken:
                _health.Succeeded();
                Healthy();
                return Settled.Of(entry, FeedStatus.Delivered, entry.Attempts + 1, null, null);
            case PushResult.NotSent:
                return new Settled(entry, null, now + Micros(outcome.RetryAfter ?? default));
            case PushResult.Lost:
                return new Settled(entry, null, null);
            case PushResult.Throttled:
                var until = _health.Throttled(now, outcome.RetryAfter);
                Volatile.Write(ref _notBefore, until);
                _state = _state with { HeldUntilMicros = until };
                _mustSave = true;
                Ailing(now, outcome.Error!);
                return Settled.Of(entry, FeedStatus.Pending, entry.Attempts, outcome.Error, until);
            case PushResult.Gone:
                Disable("The endpoint answered 410: it wants no more webhooks.", gone: true);
                return Settled.Of(entry, FeedStatus.Pending, entry.Attempts + 1, outcome.Error, now);
            default:
                _health.Failed(now, outcome.Result == PushResult.Overloaded);
                Volatile.Write(ref _notBefore, _health.NotBeforeMicros);
                Ailing(now, outcome.Error!);
                return Again(entry, outcome.Error!, now);
        }
    }

    private Settled Again(PushEntry entry, string error, long now)
    {
        var attempts = entry.Attempts + 1;
        if (_schedule.After(attempts - entry.AttemptsBefore, entry.Offset) is { } wait)
        {
            return Settled.Of(entry, FeedStatus.Pending, attempts, error, now + Micros(wait));
        }

        if (_disabled)
        {
            return Settled.Of(entry, FeedStatus.Pending, attempts, error, now);
        }

        _tally.GaveUp(new PushFailure(entry.Offset, attempts, error));
        Log.GaveUp(_logger, _model.Feed, entry.Offset, attempts, error);
        return Settled.Of(entry, FeedStatus.Failed, attempts, error, null);
    }

    private void Apply(Settled settled)
    {
        var entry = settled.Entry;
        entry.Attempts = settled.Delivery?.Attempts ?? entry.Attempts;
        if (settled.DueMicros is { } due)
        {
            _window.Wait(entry, due);
            return;
        }

        _window.Remove(entry);
        if (entry.Resent)
        {
            _state = _state with { Resend = [.. _state.Resend.Where(o => o != entry.Offset)] };
            _mustSave = true;
        }
    }

    /// <summary>A wish to wait outlives the success of a request that was under way when it came.</summary>
    private void Healthy()
    {
        if (_state.FailingSinceMicros != 0)
        {
            _state = _state with { FailingSinceMicros = 0 };
        }
    }

    private void Ailing(long now, string error)
    {
        if (_state.FailingSinceMicros == 0)
        {
            _state = _state with { FailingSinceMicros = now };
        }
        else if (now - _state.FailingSinceMicros >= Micros(_model.DisableAfter))
        {
            Disable($"No webhook was taken since {FeedRecordJson.Instant(_state.FailingSinceMicros)}. {error}", gone: false);
        }
    }

    private void Disable(string reason, bool gone)
    {
        if (_disabled)
        {
            return;
        }

        _state = _state with { Disabled = reason, Gone = gone };
        _disabled = true;
        _mustSave = true;
        Log.Disabled(_logger, _model.Feed, reason);
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        await _endpoints.SaveAsync(_state, cancellationToken).ConfigureAwait(false);
        _mustSave = false;
        _savedMicros = Now;
    }

    private void Publish()
    {
        var held = _state.HeldUntilMicros > Now ? InstantOf(_state.HeldUntilMicros) : null;
        var failing = _state.FailingSinceMicros != 0;
        var state = _disabled ? PushState.Disabled : held is not null ? PushState.Held
            : failing ? PushState.Failing : PushState.Running;
        var error = _disabled ? _state.Error : failing && _tally.LastError is { } last
            ? new SyncError(ErrorCode.SinkUnavailable, last) : null;
        Volatile.Write(ref _status, new PushStatus(
            _model.Feed, state, error, _committed, _window.ReadTo, _window.Count - _inFlight, _inFlight,
            _window.Count >= _model.WaitingMax, _tally.Delivered, _tally.FailedAttempts, _tally.Throttled, _tally.GivenUp,
            _tally.Missed, InstantOf(_window.NextDue is { } due ? Math.Max(due, _health.NotBeforeMicros) : 0), held, InstantOf(_state.FailingSinceMicros),
            InstantOf(_tally.LastDeliveredMicros), _tally.LastGivenUp));
    }

    /// <summary>What a request's end means: what is recorded of the record, and when it is due again (null: never).</summary>
    private sealed record Settled(PushEntry Entry, FeedDelivery? Delivery, long? DueMicros)
    {
        public static Settled Of(PushEntry entry, FeedStatus status, int attempts, string? error, long? due) =>
            new(entry, new FeedDelivery(entry.Offset, status, attempts, error), due);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Pushing {Feed} is disabled: {Reason}")]
        public static partial void Disabled(ILogger logger, string feed, string reason);

        [LoggerMessage(2, LogLevel.Information, "Pushing {Feed} is enabled")]
        public static partial void Enabled(ILogger logger, string feed);

        [LoggerMessage(3, LogLevel.Warning, "Record {Offset} of {Feed} is given up after {Attempts} attempts: {Error}")]
        public static partial void GaveUp(ILogger logger, string feed, long offset, int attempts, string error);

        [LoggerMessage(4, LogLevel.Error, "Retention removed {Count} records of {Feed} up to {Last} before they were pushed")]
        public static partial void Missed(ILogger logger, string feed, long count, long last);

        [LoggerMessage(5, LogLevel.Warning, "What was pushed of {Feed} last could not be recorded and is sent again: {Error}")]
        public static partial void Unrecorded(ILogger logger, string feed, string error);
    }
}
