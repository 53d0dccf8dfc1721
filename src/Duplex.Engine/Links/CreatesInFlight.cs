using Duplex.Sdk;

namespace Duplex.Engine.Links;

/// <summary>
/// Creates that a leg has sent and not yet recorded. The opposite leg, meeting a record that no link holds, waits for
/// them: the record may be the one that is just being created.
/// </summary>
internal sealed class CreatesInFlight
{
    private readonly HashSet<Create> _running = [];
    private readonly Dictionary<RecordKey, string?> _unknown = [];

    /// <summary>The create of the record was sent and nobody knows whether it happened; it waits to be repeated.</summary>
    /// <param name="key">The record that it was made of.</param>
    /// <param name="match">The match text of what it creates; null if it has none.</param>
    public void Doubt(RecordKey key, string? match)
    {
        lock (_unknown)
        {
            _unknown[key] = match;
        }
    }

    /// <summary>The outcome of the record's create is known, or it will not be repeated.</summary>
    public void Know(RecordKey key)
    {
        lock (_unknown)
        {
            _unknown.Remove(key);
        }
    }

    /// <summary>A record whose create is in doubt got another key.</summary>
    public void Rename(RecordKey from, RecordKey to)
    {
        lock (_unknown)
        {
            if (_unknown.Remove(from, out var match))
            {
                _unknown[to] = match;
            }
        }
    }

    /// <summary>Whether a create of unknown outcome may have made a record with the match text; <c>Likely</c> when it
    /// wrote the same one.</summary>
    public (bool Possibly, bool Likely) MayHaveMade(string? match)
    {
        lock (_unknown)
        {
            return (_unknown.Count > 0, match is not null && _unknown.ContainsValue(match));
        }
    }

    /// <summary>A create begins; disposing what is returned ends it.</summary>
    public Create Begin()
    {
        var create = new Create(this);
        lock (_running)
        {
            _running.Add(create);
        }

        return create;
    }

    /// <summary>Waits for every create that runs now; false if none did.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        Task[] running;
        lock (_running)
        {
            running = [.. _running.Select(static c => c.WaitedFor().Task)];
        }

        if (running.Length == 0)
        {
            return false;
        }

        await Task.WhenAll(running).WaitAsync(cancellationToken);
        return true;
    }

    /// <summary>One create.</summary>
    internal sealed class Create(CreatesInFlight creates) : IDisposable
    {
        private TaskCompletionSource? _done;

        public TaskCompletionSource WaitedFor() =>
            _done ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            lock (creates._running)
            {
                creates._running.Remove(this);
            }

            _done?.SetResult();
        }
    }
}
