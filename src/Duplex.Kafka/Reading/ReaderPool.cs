using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Sdk;
using Error = Confluent.Kafka.Error;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Reading;

/// <summary>
/// Readers that wait for their next page. The one that stands where a page begins gets it, so that a leg that reads on
/// finds its entries fetched already.
/// </summary>
internal sealed class ReaderPool(ClientFactory clients, int readersMax, int runningMax) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    private readonly SemaphoreSlim _running = new(runningMax);
    private readonly LinkedList<PartitionReader> _idle = [];
    private bool _disposed;

    /// <summary>
    /// Reads a page. The client blocks its caller, and where brokers come and go longer than it is told to: whoever asks waits neither
    /// longer than is of use nor when it is cancelled, and the reader comes back when the client lets go of it.
    /// </summary>
    public async ValueTask<LogPage> ReadAsync(PageRequest request, CancellationToken cancellationToken)
    {
        if (!await _running.WaitAsync(Patience, cancellationToken).ConfigureAwait(false))
        {
            throw Silent();
        }

        var reading = Task.Run(
            () =>
            {
                try
                {
                    return Read(request, cancellationToken);
                }
                finally
                {
                    _running.Release();
                }
            },
            CancellationToken.None);
        try
        {
            return await reading.WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException && !reading.IsFaulted)
        {
            _ = reading.ContinueWith(
                static late => late.Result.Dispose(), CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (e is TimeoutException)
            {
                throw Silent();
            }

            throw;
        }
    }

    public void Dispose()
    {
        lock (_idle)
        {
            _disposed = true;
            foreach (var reader in _idle)
            {
                reader.Dispose();
            }

            _idle.Clear();
        }
    }

    private static SyncException Silent() =>
        new(Faults.Unavailable("The log cannot be read", new Error(ErrorCode.Local_TimedOut)));

    private LogPage Read(PageRequest request, CancellationToken cancellationToken)
    {
        var reader = Take(request) ?? new PartitionReader(clients);
        try
        {
            return reader.Read(request, cancellationToken);
        }
        finally
        {
            Return(reader);
        }
    }

    private PartitionReader? Take(PageRequest request)
    {
        lock (_idle)
        {
            var best = _idle.FirstOrDefault(r => r.Partition == request.Partition && r.Next == request.Offset)
                ?? _idle.LastOrDefault(r => r.Partition is null)
                ?? (_idle.Count >= readersMax ? _idle.Last?.Value : null);
            if (best is not null)
            {
                _idle.Remove(best);
            }

            return best;
        }
    }

    private void Return(PartitionReader reader)
    {
        PartitionReader? spare = null;
        lock (_idle)
        {
            if (_disposed)
            {
                spare = reader;
            }
            else
            {
                _idle.AddFirst(reader);
                if (_idle.Count > readersMax)
                {
                    spare = _idle.Last!.Value;
                    _idle.RemoveLast();
                }
            }
        }

        spare?.Dispose();
    }
}
