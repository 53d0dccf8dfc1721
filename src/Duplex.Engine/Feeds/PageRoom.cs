using System.Collections.Concurrent;

namespace Duplex.Engine.Feeds;

/// <summary>
/// The room that the readers of all customers share: many small pages and a few large ones are under way at a time, whatever the number
/// of customers. A reader has a place only while it carries a page; one that waits for its feed gives it back, so that a feed that is
/// refused takes nothing from the others.
/// </summary>
internal sealed class PageRoom
{
    private readonly Places _small = new(128, new PageSize(512, 64 << 10));
    private readonly Places _large = new(8, new PageSize(4096, 4 << 20));

    /// <summary>Waits for a place; disposing it gives it back.</summary>
    /// <param name="isBehind">Whether there is more to read than a small page holds. It gets a large one while one is free.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<PagePlace> EnterAsync(bool isBehind, CancellationToken cancellationToken)
    {
        if (isBehind && _large.TryEnter() is { } large)
        {
            return large;
        }

        return await _small.EnterAsync(cancellationToken);
    }

    private sealed class Places(int count, PageSize size)
    {
        private readonly SemaphoreSlim _free = new(count);
        private readonly ConcurrentBag<FeedTransform> _transforms = [];

        public PagePlace? TryEnter() => _free.Wait(TimeSpan.Zero, CancellationToken.None) ? Take() : null;

        public async ValueTask<PagePlace> EnterAsync(CancellationToken cancellationToken)
        {
            await _free.WaitAsync(cancellationToken);
            return Take();
        }

        private PagePlace Take() => new(size, _transforms.TryTake(out var transform) ? transform : new FeedTransform(), Leave);

        private void Leave(FeedTransform transform)
        {
            transform.Clear();
            if (transform.KeptBytes <= size.BytesMax * 2)
            {
                _transforms.Add(transform);
            }
            else
            {
                transform.Dispose();
            }

            _free.Release();
        }
    }
}

/// <summary>What all customers of an engine share.</summary>
internal sealed record SharedRoom(PageRoom Pages, Push.PushRoom Requests);

/// <summary>How much a page may hold; at least one entry, whatever its size.</summary>
internal readonly record struct PageSize(int EntriesMax, int BytesMax);

/// <summary>A place for one page: how large it may be, and what transforms it.</summary>
internal sealed class PagePlace(PageSize size, FeedTransform transform, Action<FeedTransform> leave) : IDisposable
{
    private Action<FeedTransform>? _leave = leave;

    public PageSize Size => size;

    public FeedTransform Transform => transform;

    /// <summary>Whether a page has used it up, so that there is probably more.</summary>
    public bool IsFilledBy(Log.LogPage page) => page.Count >= size.EntriesMax || page.Bytes >= size.BytesMax / 2;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke(transform);
}
