using Duplex.Sdk;

namespace Duplex.Engine.Push;

/// <summary>What a pusher is doing.</summary>
public enum PushState
{
    /// <summary>Not running.</summary>
    Stopped,
    /// <summary>Records are sent as they come.</summary>
    Running,
    /// <summary>Requests fail one after the other, or the store does; tried again by itself.</summary>
    Failing,
    /// <summary>The endpoint asked to wait.</summary>
    Held,
    /// <summary>Nothing is sent until a person enables it; <c>Error</c> says why.</summary>
    Disabled,
}

/// <summary>A pusher at one instant. Counters count since the start of the process.</summary>
/// <param name="Feed">The feed, and so the customer.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Error">Why it is disabled or failing; null while nothing is wrong.</param>
/// <param name="Position">Every record up to this offset is dealt with.</param>
/// <param name="ReadTo">The last offset that was read.</param>
/// <param name="Waiting">Records that wait: for another attempt, for an older one of their key, or for their turn.</param>
/// <param name="InFlight">Requests under way.</param>
/// <param name="Full">Whether so many wait that nothing more is read.</param>
/// <param name="Delivered">Records that the endpoint took.</param>
/// <param name="FailedAttempts">Attempts that failed.</param>
/// <param name="Throttled">Requests that the endpoint answered with a wish to wait.</param>
/// <param name="GivenUp">Records that failed for good.</param>
/// <param name="Missed">Records that retention removed before they could be sent.</param>
/// <param name="NextAttemptAt">When the next waiting record is due.</param>
/// <param name="HeldUntil">Until when the endpoint asked to wait.</param>
/// <param name="FailingSince">Since when no request has succeeded.</param>
/// <param name="LastDeliveredAt">When the endpoint last took a record.</param>
/// <param name="LastGivenUp">The latest records that failed for good, newest first.</param>
public sealed record PushStatus(
    string Feed,
    PushState State,
    SyncError? Error,
    long Position,
    long ReadTo,
    int Waiting,
    int InFlight,
    bool Full,
    long Delivered,
    long FailedAttempts,
    long Throttled,
    long GivenUp,
    long Missed,
    DateTimeOffset? NextAttemptAt,
    DateTimeOffset? HeldUntil,
    DateTimeOffset? FailingSince,
    DateTimeOffset? LastDeliveredAt,
    IReadOnlyList<PushFailure> LastGivenUp)
{
    /// <summary>A pusher that has done nothing.</summary>
    internal static PushStatus Of(string feed, PushState state, SyncError? error) =>
        new(feed, state, error, 0, 0, 0, 0, false, 0, 0, 0, 0, 0, null, null, null, null, []);
}

/// <summary>A record that failed for good.</summary>
/// <param name="Offset">The record.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Error">Why the last attempt failed.</param>
public sealed record PushFailure(long Offset, int Attempts, string Error);
