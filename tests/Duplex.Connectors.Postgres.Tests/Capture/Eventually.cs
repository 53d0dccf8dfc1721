namespace Duplex.Connectors.Postgres.Tests.Capture;

/// <summary>Waits for a condition, with a deadline.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string>? state = null)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var end = new CancellationTokenSource(Deadline);
        while (!await condition())
        {
            try
            {
                await pace.WaitForNextTickAsync(end.Token);
            }
            catch (OperationCanceledException)
            {
                throw new ShouldAssertException($"The condition did not come to hold. {state?.Invoke()}");
            }
        }
    }

    public static Task HoldsAsync(Func<bool> condition, Func<string>? state = null) =>
        HoldsAsync(() => Task.FromResult(condition()), state);
}
