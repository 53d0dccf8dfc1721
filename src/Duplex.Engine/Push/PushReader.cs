using Duplex.Engine.Feeds;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Push;

/// <summary>Reads the feed that is pushed. Pages are read by one loop, single records by many tasks at once.</summary>
internal sealed partial class PushReader(IFeedStore feeds, string feed, PushTally tally, ILogger logger)
{
    /// <summary>Records after what was read; what retention removed before it was read is counted and passed.</summary>
    public async Task<IReadOnlyList<FeedRecord>> ReadPageAsync(
        PushWindow window, int limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await feeds.ReadAsync(feed, window.ReadTo, limit, null, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (SyncException e) when (e.Error.Code == ErrorCode.SourceGap)
            {
                var found = await feeds.FindAsync(feed, cancellationToken).ConfigureAwait(false);
                var last = found!.FirstOffset - 1;
                tally.Missed += last - window.ReadTo;
                Log.Missed(logger, feed, last - window.ReadTo, last);
                window.ReadTo = last;
            }
        }
    }

    /// <summary>One record; null if it is not stored.</summary>
    public async Task<FeedRecord?> ReadOneAsync(long offset, CancellationToken cancellationToken)
    {
        try
        {
            var page = await feeds.ReadAsync(feed, offset - 1, 1, null, cancellationToken).ConfigureAwait(false);
            return page is [var record, ..] && record.Offset == offset ? record : null;
        }
        catch (SyncException e) when (e.Error.Code == ErrorCode.SourceGap)
        {
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4, LogLevel.Error, "Retention removed {Count} records of {Feed} up to {Last} before they were pushed")]
        public static partial void Missed(ILogger logger, string feed, long count, long last);
    }
}
