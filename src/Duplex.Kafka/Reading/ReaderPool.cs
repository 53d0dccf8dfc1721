using Duplex.Engine.Log;
using Duplex.Kafka.Clients;

namespace Duplex.Kafka.Reading;

/// <summary>
/// Readers that wait for their next page. The one that stands where a page begins gets it, so that a leg that reads on
/// finds its entries fetched already.
/// </summary>
internal sealed class ReaderPool(ClientFactory clients, int readersMax, int runningMax) : IDisposable
{
    private readonly SemaphoreSlim _running = new(runningMax);
    private readonly LinkedList<PartitionReader> _idle = [];
    private bool _disposed;

    public async ValueTask<LogPage> ReadAsync(PageRequest request, CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // The client blocks its caller until there is something.
            return await Task.Run(() => Read(request, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _running.Release();
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
