namespace Duplex.Simulators.Stripe.Limits;

/// <summary>How many requests the account may make. Zero means without limit.</summary>
public sealed record StripeLimits
{
    /// <summary>No limits at all.</summary>
    public static StripeLimits None { get; } = new()
    {
        GlobalPerSecond = 0, OperationPerSecond = 0, SearchPerSecond = 0,
    };

    /// <summary>Requests per second over all operations.</summary>
    public double GlobalPerSecond { get; init; } = 100;

    /// <summary>Requests per second of each operation that has no limit of its own.</summary>
    public double OperationPerSecond { get; init; } = 25;

    /// <summary>Requests per second of each search operation.</summary>
    public double SearchPerSecond { get; init; } = 20;

    /// <summary>Requests that may run at the same time.</summary>
    public int ConcurrentMax { get; init; }

    /// <summary>Requests per second of single operations, by their name, such as <c>POST /v1/customers</c>.</summary>
    public IReadOnlyDictionary<string, double> PerOperation { get; init; } = new Dictionary<string, double>();
}
