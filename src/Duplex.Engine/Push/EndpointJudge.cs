using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Push;

/// <summary>What a request's end means: what is recorded of the record, and when it is due again (null: never).</summary>
internal sealed record Settled(PushEntry Entry, FeedDelivery? Delivery, long? DueMicros)
{
    public static Settled Of(PushEntry entry, FeedStatus status, int attempts, string? error, long? due) =>
        new(entry, new FeedDelivery(entry.Offset, status, attempts, error), due);
}

/// <summary>Decides what becomes of records and of the endpoint. Used by one loop; <see cref="Admits"/> by requests as
/// well.</summary>
internal sealed partial class EndpointJudge(PushModel model, EndpointStore endpoints, PushTally tally, TimeProvider clock, ILogger logger)
{
    private readonly RetrySchedule _schedule = new(model.Retry, model.Jitter);
    private volatile bool _isDisabled;
    private long _notBefore;

    public EndpointHealth Health { get; } = new(model.Parallelism, model.Feed.Length);

    public EndpointState State { get; private set; } = new();

    /// <summary>Whether the state is to be stored before anything else goes on.</summary>
    public bool MustSave { get; private set; }

    /// <summary>When the state was stored last.</summary>
    public long SavedMicros { get; private set; }

    public bool IsSaved => ReferenceEquals(State, endpoints.Stored);

    public bool IsDisabled
    {
        get => _isDisabled;
        private set => _isDisabled = value;
    }

    /// <summary>Whether a request may go at the instant.</summary>
    public bool Admits(long nowMicros) => !_isDisabled && nowMicros >= Volatile.Read(ref _notBefore);

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        State = await endpoints.OpenAsync(cancellationToken).ConfigureAwait(false);
        IsDisabled = State.Disabled is not null;
        Health.HoldUntil(State.HeldUntilMicros);
        Volatile.Write(ref _notBefore, Health.NotBeforeMicros);
    }

    /// <summary>Enables the endpoint; completes when that is on disk.</summary>
    public async Task EnableAsync(CancellationToken cancellationToken)
    {
        State = State with
        {
            Disabled = null, Gone = false, EnabledMicros = clock.NowMicros(), FailingSinceMicros = 0, HeldUntilMicros = 0,
        };
        await SaveAsync(cancellationToken).ConfigureAwait(false);
        Health.Reset();
        Volatile.Write(ref _notBefore, 0);
        IsDisabled = false;
        Log.Enabled(logger, model.Feed);
    }

    /// <summary>Notes a record to be sent again; completes when that is on disk.</summary>
    public Task ResendAsync(long offset, CancellationToken cancellationToken)
    {
        State = State with { Resend = [.. State.Resend, offset] };
        return SaveAsync(cancellationToken);
    }

    /// <summary>Notes that a record was sent again.</summary>
    public void Resent(long offset)
    {
        State = State with { Resend = [.. State.Resend.Where(o => o != offset)] };
        MustSave = true;
    }

    /// <summary>What follows of a request's end for its record; the endpoint's state follows at once.</summary>
    public Settled Judge(PushEntry entry, PushOutcome outcome)
    {
        var now = clock.NowMicros();
        tally.Count(outcome, now);
        switch (outcome.Result)
        {
            case PushResult.Taken:
                Health.Succeeded();
                Healthy();
                return Settled.Of(entry, FeedStatus.Delivered, entry.Attempts + 1, null, null);
            case PushResult.NotSent:
                return new Settled(entry, null, now + Micros(outcome.RetryAfter ?? default));
            case PushResult.Lost:
                return new Settled(entry, null, null);
            case PushResult.Throttled:
                var until = Health.Throttled(now, outcome.RetryAfter);
                Volatile.Write(ref _notBefore, Health.NotBeforeMicros);
                State = State with { HeldUntilMicros = until };
                MustSave = true;
                Ailing(now, outcome.Error!);
                return Settled.Of(entry, FeedStatus.Pending, entry.Attempts, outcome.Error, until);
            case PushResult.Away:
                Health.Failed(now, overloaded: true);
                Volatile.Write(ref _notBefore, Health.NotBeforeMicros);
                Ailing(now, outcome.Error!);
                return Settled.Of(entry, FeedStatus.Pending, entry.Attempts, outcome.Error, now);
            case PushResult.Gone:
                Disable("The endpoint answered 410: it wants no more webhooks.", gone: true);
                return Settled.Of(entry, FeedStatus.Pending, entry.Attempts + 1, outcome.Error, now);
            default:
                Health.Failed(now, outcome.Result == PushResult.Overloaded);
                if (outcome is { Result: PushResult.Overloaded, RetryAfter: { } rest })
                {
                    Health.HoldUntil(now + Micros(rest));
                }

                Volatile.Write(ref _notBefore, Health.NotBeforeMicros);
                Ailing(now, outcome.Error!);
                return Again(entry, outcome.Error!, outcome.RetryAfter ?? default, now);
        }
    }

    private Settled Again(PushEntry entry, string error, TimeSpan asked, long now)
    {
        var attempts = entry.Attempts + 1;
        if (_schedule.After(attempts - entry.AttemptsBefore, entry.Offset) is { } wait)
        {
            return Settled.Of(entry, FeedStatus.Pending, attempts, error, now + Micros(wait > asked ? wait : asked));
        }

        if (IsDisabled)
        {
            return Settled.Of(entry, FeedStatus.Pending, attempts, error, now);
        }

        tally.GaveUp(new PushFailure(entry.Offset, attempts, error));
        Log.GaveUp(logger, model.Feed, entry.Offset, attempts, error);
        return Settled.Of(entry, FeedStatus.Failed, attempts, error, null);
    }

    /// <summary>A wish to wait outlives the success of a request that was under way when it came.</summary>
    private void Healthy()
    {
        if (State.FailingSinceMicros != 0)
        {
            State = State with { FailingSinceMicros = 0 };
        }
    }

    private void Ailing(long now, string error)
    {
        if (State.FailingSinceMicros == 0)
        {
            State = State with { FailingSinceMicros = now };
        }
        else if (now - State.FailingSinceMicros >= Micros(model.DisableAfter))
        {
            Disable($"Nothing was taken since {FeedRecordJson.Instant(State.FailingSinceMicros)}. {error}", gone: false);
        }
    }

    public void Disable(string reason, bool gone)
    {
        if (IsDisabled)
        {
            return;
        }

        State = State with { Disabled = reason, Gone = gone };
        IsDisabled = true;
        MustSave = true;
        Log.Disabled(logger, model.Feed, reason);
    }

    public async Task SaveAsync(CancellationToken cancellationToken)
    {
        await endpoints.SaveAsync(State, cancellationToken).ConfigureAwait(false);
        MustSave = false;
        SavedMicros = clock.NowMicros();
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Pushing {Feed} is disabled: {Reason}")]
        public static partial void Disabled(ILogger logger, string feed, string reason);

        [LoggerMessage(2, LogLevel.Information, "Pushing {Feed} is enabled")]
        public static partial void Enabled(ILogger logger, string feed);

        [LoggerMessage(3, LogLevel.Warning, "Record {Offset} of {Feed} is given up after {Attempts} attempts: {Error}")]
        public static partial void GaveUp(ILogger logger, string feed, long offset, int attempts, string error);
    }
}
