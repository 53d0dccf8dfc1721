namespace Duplex.Engine.Links;

/// <summary>
/// Asynchronous locks by value, made on demand and gone when free. Whoever holds one waits for no key gate and for no
/// other leaf lock of the same kind, so that there is no deadlock.
/// </summary>
internal sealed class LeafLocks<T>
    where T : notnull
{
    private readonly Dictionary<T, Entry> _entries = [];

    /// <summary>Waits for the lock; disposing what is returned releases it.</summary>
    public async ValueTask<Held> EnterAsync(T value, CancellationToken cancellationToken)
    {
        Entry? entry;
        lock (_entries)
        {
            if (!_entries.TryGetValue(value, out entry))
            {
                _entries[value] = entry = new Entry();
            }

            entry.Users++;
        }

        try
        {
            await entry.Semaphore.WaitAsync(cancellationToken);
        }
        catch
        {
            Release(value, entry, held: false);
            throw;
        }

        return new Held(this, value, entry);
    }

    private void Release(T value, Entry entry, bool held)
    {
        lock (_entries)
        {
            if (held)
            {
                entry.Semaphore.Release();
            }

            if (--entry.Users == 0)
            {
                _entries.Remove(value);
            }
        }
    }

    internal sealed class Entry
    {
        public SemaphoreSlim Semaphore { get; } = new(1);

        public int Users { get; set; }
    }

    /// <summary>A held lock.</summary>
    internal sealed class Held(LeafLocks<T> locks, T value, Entry entry) : IDisposable
    {
        public void Dispose() => locks.Release(value, entry, held: true);
    }
}
