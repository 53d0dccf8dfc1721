namespace Duplex.Engine.Ingest;

/// <summary>What became of posted events since the start of the process. Counted and read on any thread.</summary>
public sealed class IngestCounters
{
    private long _taken;
    private long _repeated;
    private long _refused;

    /// <summary>Events that are on disk.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Events that were there already, by their delivery id.</summary>
    public long Repeated => Interlocked.Read(ref _repeated);

    /// <summary>Events that were not taken, for whatever reason.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Notes events that were not taken.</summary>
    public void Refuse(int events) => Interlocked.Add(ref _refused, events);

    internal void Take(Log.AppendOutcome outcome)
    {
        Interlocked.Add(ref _taken, outcome.Appended);
        if (outcome.Dropped > 0)
        {
            Interlocked.Add(ref _repeated, outcome.Dropped);
        }
    }
}
