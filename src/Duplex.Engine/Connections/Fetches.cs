using Duplex.Sdk;

namespace Duplex.Engine.Connections;

/// <summary>Reads single records as they are now; reads that are asked for at the same time go together.</summary>
internal sealed class Fetches : IAsyncDisposable
{
    private readonly IRecordReader _reader;
    private readonly CancellationTokenSource _stop = new();
    private readonly Funnel<Job> _funnel;

    public Fetches(IRecordReader reader, ConnectorCapabilities capabilities)
    {
        _reader = reader;
        _funnel = new Funnel<Job>(capabilities.Parallelism, capabilities.BatchMax,
            static (first, next) => first.Stream == next.Stream, ReadAsync, static job => job.Done.TrySetCanceled());
    }

    /// <summary>Reads one record; null when it does not exist. The read begins after the call.</summary>
    /// <exception cref="SyncException">The system cannot be asked.</exception>
    public Task<FetchedRecord?> FetchAsync(string stream, RecordKey key, CancellationToken cancellationToken)
    {
        var job = new Job(stream, key,
            new TaskCompletionSource<FetchedRecord?>(TaskCreationOptions.RunContinuationsAsynchronously));
        _funnel.Add(job);
        return job.Done.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _funnel.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ReadAsync(List<Job> jobs)
    {
        var places = new Dictionary<RecordKey, int>(jobs.Count);
        foreach (var job in jobs)
        {
            places.TryAdd(job.Key, places.Count);
        }

        try
        {
            var found = await _reader.FetchAsync(jobs[0].Stream, [.. places.Keys], _stop.Token);
            foreach (var job in jobs)
            {
                job.Done.TrySetResult(found[places[job.Key]]);
            }
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            await FailAsync(jobs, e);
        }
    }

    /// <summary>One key that cannot be asked for must not fail the others.</summary>
    private async Task FailAsync(List<Job> jobs, Exception e)
    {
        if (jobs.Count == 1 || e is SyncException { Error.Code: ErrorCode.SourceUnavailable or ErrorCode.SinkUnavailable })
        {
            jobs.ForEach(j => j.Done.TrySetException(e));
            return;
        }

        foreach (var job in jobs)
        {
            await ReadAsync([job]);
        }
    }

    private sealed record Job(string Stream, RecordKey Key, TaskCompletionSource<FetchedRecord?> Done);
}
