namespace Duplex.Sdk;

/// <summary>Reads records as they are: for plan, verify, refetch and the API's two-sided view.</summary>
public interface IRecordReader : IAsyncDisposable
{
    /// <summary>
    /// Reads the current state of records by key. Called by lanes and by the API, many at once.
    /// </summary>
    /// <returns>One element per key, in order; null where the record does not exist (or is a deleted stub).</returns>
    /// <exception cref="SyncException">The system cannot be asked.</exception>
    Task<IReadOnlyList<FetchedRecord?>> FetchAsync(
        string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken);

    /// <summary>
    /// Reads every record of the stream by keyset, each at least once, in pages, in an order of the reader's choice;
    /// records that are created or deleted meanwhile may or may not appear. Memory is bounded by a page.
    /// </summary>
    /// <exception cref="SyncException">The system cannot be asked.</exception>
    IAsyncEnumerable<IReadOnlyList<FetchedRecord>> ListAsync(string stream, CancellationToken cancellationToken);

    /// <summary>About how many records the stream has, for progress; -1 when the system cannot tell cheaply.</summary>
    Task<long> EstimateAsync(string stream, CancellationToken cancellationToken);
}

/// <summary>A record that was read.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Record">All its fields.</param>
/// <param name="AtMicros">When, by the other side's clock if it tells, microseconds since 1970 UTC; 0 when
/// unknown.</param>
public sealed record FetchedRecord(RecordKey Key, Record Record, long AtMicros);
