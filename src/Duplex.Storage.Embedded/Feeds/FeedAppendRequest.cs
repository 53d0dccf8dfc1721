using Duplex.Engine.Feeds;
using Duplex.Storage.Embedded.Commits;

namespace Duplex.Storage.Embedded.Feeds;

/// <summary>One caller's items on their way to the disk.</summary>
internal sealed class FeedAppendRequest : WriteRequest<FeedAppend>
{
    private readonly FeedWriter _writer;
    private readonly FeedLog _feed;
    private readonly long _epoch;
    private readonly string _source;
    private readonly IReadOnlyList<FeedItem> _items;
    private readonly CancellationToken _cancellationToken;

    public FeedAppendRequest(
        FeedWriter writer, FeedLog feed, long epoch, string source, IReadOnlyList<FeedItem> items,
        CancellationToken cancellationToken)
    {
        _writer = writer;
        _feed = feed;
        _epoch = epoch;
        _source = source;
        _items = items;
        _cancellationToken = cancellationToken;
        var bytes = 0L;
        for (var index = 0; index < items.Count; index++)
        {
            var item = items[index];
            bytes += item.Key.Length + item.Data.Length;
        }

        Bytes = (int)Math.Min(bytes, int.MaxValue);
    }

    /// <inheritdoc/>
    public override int Bytes { get; }

    /// <inheritdoc/>
    public override void Apply()
    {
        // The caller owns the items again as soon as the wait ends, so cancellation counts only until the writer takes
        // them up.
        _cancellationToken.ThrowIfCancellationRequested();
        Result = _writer.Append(_feed, _epoch, _source, _items);
    }
}
