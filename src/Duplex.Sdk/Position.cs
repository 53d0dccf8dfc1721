namespace Duplex.Sdk;

/// <summary>
/// Where a source has got to. Within an epoch positions only grow: by <see cref="Major"/>, then by <see cref="Minor"/>.
/// </summary>
/// <param name="Epoch">Starts at 1. A source opens the next epoch when its history starts anew: a slot made again, a
/// re-snapshot. Positions of different epochs are not comparable.</param>
/// <param name="Major">The source's coarse order: PostgreSQL the commit LSN, Stripe the event's <c>created</c> in
/// seconds, an outbox its sequence.</param>
/// <param name="Minor">The order within <paramref name="Major"/>: PostgreSQL the index of the change in its
/// transaction.</param>
/// <param name="Token">What the source needs to resume beyond the two numbers, as JSON that only the source reads (its
/// snapshot's progress, a list cursor); null when the numbers suffice.</param>
public sealed record Position(long Epoch, ulong Major, ulong Minor, string? Token = null)
{
    /// <summary>Whether this position is at or beyond the other one. Positions of a later epoch are always
    /// beyond.</summary>
    public bool IsAtOrAfter(Position other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return (Epoch, Major, Minor).CompareTo((other.Epoch, other.Major, other.Minor)) >= 0;
    }

    /// <summary>For logs and the API: epoch, major (hexadecimal, as an LSN reads) and minor.</summary>
    public override string ToString() => $"{Epoch}:{Major >> 32:X}/{Major & 0xFFFFFFFF:X}:{Minor}";
}
