using System.Diagnostics;

namespace Duplex.Conformance;

/// <summary>Waits for a condition with a deadline.</summary>
public static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    /// <summary>Returns once the condition holds; throws when it does not hold within two minutes.</summary>
    public static Task BecomesAsync(Func<bool> condition) => BecomesAsync(() => Task.FromResult(condition()));

    /// <summary>Returns once the condition holds; throws when it does not hold within two minutes.</summary>
    public static async Task BecomesAsync(Func<Task<bool>> condition)
    {
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Deadline)
            {
                throw new TimeoutException("The condition did not come true in time.");
            }

            await timer.WaitForNextTickAsync();
        }
    }
}
