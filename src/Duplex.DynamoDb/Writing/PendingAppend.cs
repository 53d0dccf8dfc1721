using Duplex.Engine.Feeds;

namespace Duplex.DynamoDb.Writing;

/// <summary>One caller's items on their way to the feed.</summary>
internal sealed class PendingAppend(
    long epoch, string source, IReadOnlyList<FeedItem> items, CancellationToken cancellationToken)
{
    private readonly TaskCompletionSource<FeedAppend> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Epoch => epoch;

    public string Source => source;

    public IReadOnlyList<FeedItem> Items => items;

    /// <summary>What the caller gets once the head covers its items.</summary>
    public FeedAppend Outcome { get; set; }

    public Task<FeedAppend> Completion => _completion.Task;

    /// <summary>Takes it up, after which cancellation does not count; false if it was cancelled before.</summary>
    public bool Begin() => !cancellationToken.IsCancellationRequested || !_completion.TrySetCanceled(cancellationToken);

    public void Succeed() => _completion.TrySetResult(Outcome);

    public void Fail(Exception error) => _completion.TrySetException(error);
}
