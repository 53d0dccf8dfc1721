namespace Duplex.Push.Tests;

/// <summary>Holds who comes until so many are there; from then on nobody waits.</summary>
internal sealed class Gathering(int count)
{
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _come;

    public Task JoinAsync()
    {
        if (Interlocked.Increment(ref _come) >= count)
        {
            _complete.TrySetResult();
        }

        return _complete.Task;
    }
}
