using Xunit;

namespace Duplex.Conformance;

/// <summary>What the suites of all seams share: a clock, and one subject that can be closed and opened again.</summary>
public abstract class SeamConformance<T>(IBed<T> bed) : IAsyncLifetime
    where T : IAsyncDisposable
{
    /// <summary>The clock that the subject reads.</summary>
    protected ManualClock Clock { get; } = new();

    /// <summary>What is under test.</summary>
    protected T Subject { get; private set; } = default!;

    /// <inheritdoc/>
    public async Task InitializeAsync() => Subject = await bed.OpenAsync(Clock);

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        // There is none where the test was skipped before it was opened.
        if (Subject is not null)
        {
            await Subject.DisposeAsync();
        }

        bed.Dispose();
    }

    /// <summary>Closes the subject and opens it again.</summary>
    protected async Task ReopenAsync()
    {
        await Subject.DisposeAsync();
        Subject = await bed.OpenAsync(Clock);
    }
}
