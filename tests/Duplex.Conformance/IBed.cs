namespace Duplex.Conformance;

/// <summary>Opens what a suite tests. Made anew for every test, and disposed after it.</summary>
public interface IBed<T> : IDisposable
    where T : IAsyncDisposable
{
    /// <summary>Opens it; opens the same one again after it was disposed.</summary>
    Task<T> OpenAsync(TimeProvider clock);
}
