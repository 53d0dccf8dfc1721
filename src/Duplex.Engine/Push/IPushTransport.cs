using Duplex.Engine.Feeds;

namespace Duplex.Engine.Push;

/// <summary>
/// Takes records of one feed to where they are pushed. A pusher calls it from many tasks at once, with records of different
/// keys, and with the next record of a key once the one before it has ended. Disposed by the pusher when it stops.
/// </summary>
public interface IPushTransport : IDisposable
{
    /// <summary>Sends one record, and says how that ended. <see cref="PushResult.Taken"/> promises that it will not get lost
    /// there.</summary>
    /// <param name="message">The record.</param>
    /// <param name="cancellationToken">Ends the waiting; whether the record was taken is open then, and it is sent again.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<PushOutcome> SendAsync(PushMessage message, CancellationToken cancellationToken);
}

/// <summary>A record on its way, whatever it goes by.</summary>
/// <param name="Feed">The feed, and so the customer.</param>
/// <param name="Record">The record.</param>
public sealed record PushMessage(string Feed, FeedRecord Record)
{
    /// <summary>The record's id, the same for every attempt.</summary>
    public string Id => FeedRecordJson.MessageIdOf(Feed, Record).ToString();

    /// <summary>What it says, UTF-8 JSON; the same bytes for every attempt.</summary>
    public byte[] Body() => WebhookBody.Of(Feed, Record);
}
