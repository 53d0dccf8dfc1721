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
    private readonly EndpointJudge _judge;
    private readonly PushReader _reader;
    private readonly IPushTransport _sender;
    private readonly RetrySchedule _schedule;
    private readonly PushTally _tally = new();
    private readonly CancellationTokenSource _sending = new();
    private readonly CancellationTokenSource _arriving = new();
    private readonly ConcurrentQueue<(PushEntry Entry, PushOutcome Outcome)> _completed = new();
    private readonly List<Settled> _settling = [];
    private PushWindow _window = new(0);
    private PushStatus? _status;
    private volatile bool _caughtUp;
    private long _committed;
    private int _inFlight;
    private bool _opened;
    private bool _awaitsRoom;

    public PushRun(PushModel model, PushParts parts, Bell bell, ILogger logger)
    {
        (_model, _parts, _bell, _logger) = (model, parts, bell, logger);
        var endpoints = new EndpointStore(parts.Store, model.Feed);
        _judge = new EndpointJudge(model, endpoints, _tally, parts.Clock, logger);
        _reader = new PushReader(parts.Feeds, model.Feed, _tally, logger);
        _schedule = new RetrySchedule(model.Retry, model.Jitter);
        _sender = parts.TransportOf(model);
    }

    private long Now => _parts.Clock.NowMicros();

    public PushStatus? Status(SyncError? storage) => Volatile.Read(ref _status) is not { } status ? null
        : storage is null || status.State == PushState.Disabled ? status
        : status with { State = PushState.Failing, Error = storage };

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _judge.OpenAsync(cancellationToken).ConfigureAwait(false);
        _committed = await _parts.Feeds.ReadConsumerAsync(_model.Feed, FeedPusher.Consumer, cancellationToken)
            .ConfigureAwait(false) ?? 0;
        _window = new PushWindow(_committed);
        foreach (var offset in _judge.State.Resend)
        {
            if (await _reader.ReadOneAsync(offset, cancellationToken).ConfigureAwait(false) is { } record)
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
            GiveRoom(done.Entry);
            _settling.Add(_judge.Judge(done.Entry, done.Outcome));
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

        if (_judge.MustSave || Now - _judge.SavedMicros >= SaveEveryMicros)
        {
            await _judge.SaveAsync(cancellationToken).ConfigureAwait(false);
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
        if (!_judge.IsDisabled)
        {
            await FillAsync(cancellationToken).ConfigureAwait(false);
            SendDue(Now);
        }

        _parts.Room.Pass();
        Publish();
    }

    /// <summary>How long nothing is to be done unless something happens.</summary>
    public TimeSpan Idle()
    {
        var now = Now;
        var until = now + Micros(TimeSpan.FromDays(1));
        if (!_judge.IsSaved)
        {
            until = _judge.SavedMicros + SaveEveryMicros;
        }

        if (!_judge.IsDisabled && _inFlight < _judge.Health.Slots && !_awaitsRoom)
        {
            var due = MayRead() ? now : _window.NextDue ?? long.MaxValue;
            until = Math.Min(until, Math.Max(due, _judge.Health.NotBeforeMicros));
        }

        return until <= now ? TimeSpan.Zero : TimeSpan.FromMilliseconds(((until - now) / 1000) + 1);
    }

    public async Task EnableAsync(CancellationToken cancellationToken)
    {
        await _judge.EnableAsync(cancellationToken).ConfigureAwait(false);
        _window.BeginAnew(Now);
        Publish();
    }

    public async Task DisableAsync(string reason, CancellationToken cancellationToken)
    {
        _judge.Disable(reason, gone: false);
        await _judge.SaveAsync(cancellationToken).ConfigureAwait(false);
        Publish();
    }

    public async Task ResendAsync(long offset, int resendsMax, CancellationToken cancellationToken)
    {
        if (_window.Hurry(offset, Now) || _window.IsOpen(offset))
        {
            return;
        }

        var record = offset < 1 ? null : await _reader.ReadOneAsync(offset, cancellationToken).ConfigureAwait(false);
        if (record is null)
        {
            throw new SyncException(ErrorCode.SourceGap, $"Feed {_model.Feed} has no record at offset {offset}.");
        }

        if (offset > _window.ReadTo)
        {
            return;
        }

        if (_judge.State.Resend.Count >= resendsMax)
        {
            throw new SyncException(ErrorCode.BrakeEngaged, $"{resendsMax} records are being sent again; wait for some of them.");
        }

        await _judge.ResendAsync(offset, cancellationToken).ConfigureAwait(false);
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
                await SettleAsync(CancellationToken.None).ConfigureAwait(false);
                await _judge.SaveAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (SyncException e)
        {
            Log.Unrecorded(_logger, _model.Feed, e.Error.ToString());
        }
        finally
        {
            _parts.Room.Leave(_bell);
            _sender.Dispose();
            _sending.Dispose();
            _arriving.Dispose();
        }
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static DateTimeOffset? InstantOf(long micros) =>
        micros <= 0 ? null : DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    /// <summary>Sends as much as the endpoint and the room let through.</summary>
    private void SendDue(long now)
    {
        _awaitsRoom = false;
        while (_inFlight < _judge.Health.Slots && now >= _judge.Health.NotBeforeMicros && _window.NextDue <= now)
        {
            var takesRoom = _inFlight > 0;
            if (takesRoom && !_parts.Room.TryTake(_bell))
            {
                _awaitsRoom = true;
                return;
            }

            var entry = _window.TakeDue(now)!;
            entry.TakesRoom = takesRoom;
            _inFlight++;
            _ = Task.Run(() => SendAsync(entry), CancellationToken.None);
        }
    }

    private void GiveRoom(PushEntry entry)
    {
        if (entry.TakesRoom)
        {
            entry.TakesRoom = false;
            _parts.Room.Give();
        }
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        for (var pages = 0; WantsMore(); pages++)
        {
            if (pages == PagesPerRound)
            {
                _bell.Ring();
                return;
            }

            var limit = _judge.Health.InDoubt ? 1
                : Math.Min(Math.Clamp(_model.Parallelism * 2, 16, 256), _model.WaitingMax - _window.Count);
            var page = await _reader.ReadPageAsync(_window, limit, cancellationToken).ConfigureAwait(false);
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
        && (!_judge.Health.InDoubt || (Now >= _judge.Health.NotBeforeMicros && !(_window.NextDue <= Now)));

    private bool MayRead() => !_caughtUp && _window.Count < _model.WaitingMax
        && (_judge.Health.InDoubt ? _inFlight == 0 && _window.Ready == 0 : _window.Ready < _model.Parallelism);

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
        if (record.UpdatedMicros <= _judge.State.EnabledMicros)
        {
            entry.AttemptsBefore = record.Attempts;
        }
        else if (record.Attempts > 0 && _schedule.After(record.Attempts, record.Offset) is { } wait)
        {
            due = record.UpdatedMicros + Micros(wait);
        }

        _window.Add(entry, due);
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

        var record = entry.Record ?? await _reader.ReadOneAsync(entry.Offset, cancellationToken).ConfigureAwait(false);
        if (record is null)
        {
            return new PushOutcome(PushResult.Lost);
        }

        return _judge.Admits(Now)
            ? await _sender.SendAsync(new PushMessage(_model.Feed, record), cancellationToken).ConfigureAwait(false)
            : new PushOutcome(PushResult.NotSent);
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
            _judge.Resent(entry.Offset);
        }
    }

    private void Publish()
    {
        var held = _judge.State.HeldUntilMicros > Now ? InstantOf(_judge.State.HeldUntilMicros) : null;
        var failing = _judge.State.FailingSinceMicros != 0;
        var state = _judge.IsDisabled ? PushState.Disabled : held is not null ? PushState.Held
            : failing ? PushState.Failing : PushState.Running;
        var error = _judge.IsDisabled ? _judge.State.Error : failing && _tally.LastError is { } last
            ? new SyncError(ErrorCode.SinkUnavailable, last) : null;
        var next = _window.NextDue is { } due ? Math.Max(due, _judge.Health.NotBeforeMicros) : 0;
        Volatile.Write(ref _status, new PushStatus(
            _model.Feed, state, error, _committed, _window.ReadTo, _window.Count - _inFlight, _inFlight,
            _window.Count >= _model.WaitingMax, _tally.Delivered, _tally.FailedAttempts, _tally.Throttled,
            _tally.GivenUp, _tally.Missed, InstantOf(next), held, InstantOf(_judge.State.FailingSinceMicros),
            InstantOf(_tally.LastDeliveredMicros), _tally.LastGivenUp));
    }

    private static partial class Log
    {
        [LoggerMessage(5, LogLevel.Warning, "What was pushed of {Feed} last could not be recorded and is sent again: {Error}")]
        public static partial void Unrecorded(ILogger logger, string feed, string error);
    }
}
