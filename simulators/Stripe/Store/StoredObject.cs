namespace Duplex.Simulators.Stripe.Store;

/// <summary>
/// One object's latest state. Changed only under the account's gate; the bytes themselves never change.
/// </summary>
internal sealed class StoredObject(string id, long created, long sequence)
{
    public string Id { get; } = id;

    /// <summary>Unix seconds; lists are ordered by it and then by <see cref="Sequence"/>, newest first.</summary>
    public long Created { get; } = created;

    public long Sequence { get; } = sequence;

    public byte[] Json { get; set; } = [];

    public bool Deleted { get; set; }

    /// <summary>The values that list filters compare, in the resource's order.</summary>
    public string?[] Filters { get; set; } = [];

    /// <summary>
    /// What search sees: an earlier state while the index lags; null when it does not know the object.
    /// </summary>
    public byte[]? Indexed { get; set; }
}
