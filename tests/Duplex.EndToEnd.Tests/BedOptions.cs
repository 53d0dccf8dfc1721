using Duplex.Simulators.Postgres;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.EndToEnd.Tests;

/// <summary>What a bed is made of, where the usual does not do.</summary>
internal sealed record BedOptions
{
    /// <summary>Limits of the Stripe account; none by default.</summary>
    public StripeLimits? Limits { get; init; }

    /// <summary>A server shared with other beds, which get databases of their own; null for one of its own.</summary>
    public PrivatePostgres? Postgres { get; init; }

    /// <summary>An existing directory for the engine's data; null for a temporary one.</summary>
    public string? Data { get; init; }
}
