namespace Duplex.Engine.Push;

/// <summary>What a pusher has counted since the start of the process. Used by one loop.</summary>
internal sealed class PushTally
{
    private const int FailuresKept = 20;

    private readonly LinkedList<PushFailure> _givenUp = new();

    public long Delivered { get; private set; }

    public long FailedAttempts { get; private set; }

    public long Throttled { get; private set; }

    public long GivenUp { get; private set; }

    public long Missed { get; set; }

    public string? LastError { get; private set; }

    public long LastDeliveredMicros { get; private set; }

    public IReadOnlyList<PushFailure> LastGivenUp { get; private set; } = [];

    public void Count(PushOutcome outcome, long nowMicros)
    {
        switch (outcome.Result)
        {
            case PushResult.Taken:
                Delivered++;
                LastDeliveredMicros = nowMicros;
                LastError = null;
                break;
            case PushResult.Throttled:
                Throttled++;
                LastError = outcome.Error;
                break;
            case PushResult.Lost:
                Missed++;
                break;
            case not PushResult.NotSent:
                FailedAttempts++;
                LastError = outcome.Error;
                break;
        }
    }

    public void GaveUp(PushFailure failure)
    {
        GivenUp++;
        _givenUp.AddFirst(failure);
        if (_givenUp.Count > FailuresKept)
        {
            _givenUp.RemoveLast();
        }

        LastGivenUp = [.. _givenUp];
    }
}
