namespace Duplex.Connectors.Stripe.Listing;

/// <summary>
/// A part of a list that is still to be read: the objects created within the bounds, both included, that come after the
/// cursor. Lists run from the newest object to the oldest.
/// </summary>
/// <param name="Filter">A further filter, such as <c>active=true</c>; empty for none.</param>
/// <param name="From">The first second.</param>
/// <param name="To">The last second; null for no bound.</param>
/// <param name="After">The id of the last object that was read; null at the start.</param>
internal sealed record CreatedRange(string Filter, long From, long? To, string? After)
{
    /// <summary>The query of the next page.</summary>
    public string Query => "limit=100"
        + (Filter.Length > 0 ? $"&{Filter}" : "")
        + (From > 0 ? $"&created[gte]={From}" : "")
        + (To is { } to ? $"&created[lte]={to}" : "")
        + (After is { } after ? $"&starting_after={Uri.EscapeDataString(after)}" : "");

    /// <summary>What remains after a page whose last object this is.</summary>
    public CreatedRange Rest(string lastId, long lastCreated) => this with { To = lastCreated, After = lastId };

    /// <summary>Cuts what remains into two of equal length, or leaves it where a second cannot be cut.</summary>
    public IReadOnlyList<CreatedRange> Split()
    {
        if (To is not { } to || to <= From)
        {
            return [this];
        }

        var middle = From + ((to - From) / 2);
        return [this with { From = middle + 1 }, this with { To = middle, After = null }];
    }

    /// <summary>The same range without a cursor: what is left to do when the cursor's object has gone.</summary>
    public CreatedRange WithoutCursor() => this with { After = null };
}
