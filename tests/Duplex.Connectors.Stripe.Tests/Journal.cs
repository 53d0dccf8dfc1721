namespace Duplex.Connectors.Stripe.Tests;

/// <summary>
/// What a source has said, kept as the change log keeps it: a delivery id is stored once, positions only grow, and
/// reading goes on from the stored position.
/// </summary>
internal sealed class Journal
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Lock _gate = new();
    private readonly HashSet<string> _ids = [];
    private readonly List<Change> _changes = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Position? Position { get; private set; }

    public int Dropped { get; private set; }

    public IReadOnlyList<Change> Changes
    {
        get
        {
            lock (_gate)
            {
                return [.. _changes];
            }
        }
    }

    public IReadOnlyList<Change> Of(string id) => [.. Changes.Where(c => c.Key == RecordKey.Of(id))];

    public void Append(ChangeBatch batch)
    {
        using (batch)
        lock (_gate)
        {
            if (batch.Position is { } position)
            {
                (Position is null || position.IsAtOrAfter(Position)).ShouldBeTrue("a position never goes back");
                Position = position;
            }

            for (var i = 0; i < batch.Count; i++)
            {
                if (batch.Id(i) is { } id && !_ids.Add(id))
                {
                    Dropped++;
                    continue;
                }

                _changes.Add(ChangeEnvelope.Parse(RecordKey.FromUtf8(batch.Key(i)), batch.Value(i).ToArray()));
            }

            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Reads until the condition holds.</summary>
    public async Task ReadAsync(IRecordSource source, Func<Journal, bool> until)
    {
        using var deadline = new CancellationTokenSource(Patience);
        await foreach (var batch in source.ReadAsync(Position, deadline.Token))
        {
            Append(batch);
            if (Position is { } position)
            {
                await source.ConfirmAsync(position, deadline.Token);
            }

            if (until(this))
            {
                return;
            }
        }
    }

    /// <summary>Waits until what others append makes the condition hold.</summary>
    public async Task UntilAsync(Func<Journal, bool> condition)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            if (condition(this))
            {
                return;
            }

            await changed.WaitAsync(Patience);
        }
    }
}
