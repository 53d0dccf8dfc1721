using System.Collections.Concurrent;
using Confluent.Kafka;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Ledgers;
using Duplex.Kafka.Reading;
using Duplex.Kafka.Topics;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Kafka.Writing;

/// <summary>
/// The one thread that writes. Whatever waits when a transaction ends goes into the next one together. When a
/// transaction's outcome is open it takes nothing more until a session of its own has found out, from the log itself,
/// what is there.
/// </summary>
internal sealed partial class LogWriter : IDisposable
{
    private const int GroupBytesMax = 8 << 20;
    private const int GroupRequestsMax = 4096;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly BlockingCollection<LogRequest> _queue = new(65_536);
    private readonly TaskCompletionSource<SyncError> _failed =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly KafkaLogOptions _options;
    private readonly LogCatalog _catalog;
    private readonly ConsumerOffsets _consumers;
    private readonly WriterSession _session;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private SyncError? _obstacle;

    public LogWriter(ClientFactory clients, LogCatalog catalog, ConsumerOffsets consumers, KafkaLogOptions options)
    {
        _options = options;
        _catalog = catalog;
        _consumers = consumers;
        _session = new WriterSession(clients, catalog, consumers, options);
        _logger = options.Loggers.CreateLogger(typeof(KafkaChangeLog).FullName!);
        _thread = new Thread(Run) { Name = "duplex kafka writer", IsBackground = true };
    }

    public string Identity => _session.Identity;

    public SyncError? Obstacle => Volatile.Read(ref _obstacle);

    public Task<SyncError> Failed => _failed.Task;

    /// <summary>Takes the log over from whoever had it, and loads what it holds.</summary>
    public void Open()
    {
        try
        {
            _session.Open();
        }
        catch
        {
            _session.Dispose();
            throw;
        }

        _thread.Start();
    }

    public async Task<T> RunAsync<T>(LogRequest<T> request)
    {
        if (Obstacle is { } obstacle)
        {
            throw new SyncException(obstacle);
        }

        try
        {
            _queue.Add(request);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(KafkaChangeLog));
        }

        return await request.Done.ConfigureAwait(false);
    }

    public long NowMillis() => _options.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Removes what retention no longer wants of a topic. On the writer's thread.</summary>
    public long Trim(Topic topic) => Asking(topic, () => _session.Trimmer.Trim(topic, NowMillis() * 1000));

    /// <summary>Finds out what a topic holds. On the writer's thread.</summary>
    public void Measure(Topic topic) => Asking(topic, () =>
    {
        _session.Probe.Measure(topic.Partitions);
        return true;
    });

    /// <summary>Makes room in a topic that has reached its quota, or refuses. On the writer's thread.</summary>
    public void MakeRoom(Topic topic, Transaction transaction)
    {
        if (_options.BrokerRetention || topic.Held + transaction.BytesOf(topic) < topic.Spec.RetentionBytes)
        {
            return;
        }

        Asking(topic, () => _session.Trimmer.TrimToQuota(topic));
        if (topic.Held + transaction.BytesOf(topic) >= topic.Spec.RetentionBytes)
        {
            throw topic.QuotaReached();
        }
    }

    /// <summary>Loads the delivery ids of a topic when the first is asked for. On the writer's thread.</summary>
    public void RequireDeliveries(Topic topic)
    {
        if (topic.Deliveries is not null)
        {
            return;
        }

        topic.Deliveries = Asking(topic, () => LoadDeliveries(topic));
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }

        _session.Dispose();
        _queue.Dispose();
    }

    private DeliveryWindow LoadDeliveries(Topic topic)
    {
        // The latest of all partitions together: those of one alone would push the others out.
        var latest = new PriorityQueue<(string Id, PartitionLog Partition, long Offset), (long Millis, long Order)>();
        foreach (var partition in topic.Partitions)
        {
            var from = Math.Max(partition.Extent.Readable, partition.Extent.Next - _options.DeliveriesMax);
            foreach (var (id, offset, millis) in _session.Probe.Deliveries(partition, from))
            {
                latest.Enqueue((id, partition, offset), (millis, offset));
                if (latest.Count > _options.DeliveriesMax)
                {
                    latest.Dequeue();
                }
            }
        }

        var window = new DeliveryWindow(_options.DeliveriesMax);
        while (latest.TryDequeue(out var delivery, out _))
        {
            window.Commit(delivery.Id, delivery.Partition, delivery.Offset);
        }

        return window;
    }

    // What is only asked fails on its own: the open transaction has nothing to do with it.
    private static T Asking<T>(Topic topic, Func<T> question)
    {
        try
        {
            return question();
        }
        catch (KafkaException e)
        {
            throw new SyncException(Faults.Unavailable($"Topic {topic.Name} cannot be asked", e.Error), e);
        }
    }

    private void Run()
    {
        var group = new List<LogRequest>();
        while (!_queue.IsCompleted)
        {
            Gather(group);
            if (_obstacle is null)
            {
                Write(group);
            }
            else
            {
                Fail(group, _obstacle);
                Recover();
            }

            group.Clear();
        }

        if (_obstacle is null)
        {
            _consumers.Hurry();
            Write([]);
        }
    }

    private void Gather(List<LogRequest> group)
    {
        if (!_queue.TryTake(out var request, Tick))
        {
            return;
        }

        var bytes = 0;
        do
        {
            group.Add(request);
            bytes += request.Bytes;
        }
        while (bytes < GroupBytesMax && group.Count < GroupRequestsMax && _queue.TryTake(out request));
    }

    private void Write(List<LogRequest> group)
    {
        var transaction = _session.Begin();
        var added = new List<LogRequest>(group.Count);
        var aborted = false;
        try
        {
            Apply(group, transaction, added);
            _consumers.Write(transaction);
            transaction.Finish();
            if (transaction.IsOpen)
            {
                transaction.Commit(_options.AppendWithin, out aborted);
            }
        }
        catch (KafkaException e)
        {
            transaction.Forget();
            _consumers.NotWritten();
            var error = Faults.Unavailable("Nothing was appended", e.Error);
            if (!aborted)
            {
                // Whether it took effect is open. Callers are told of no success, and the log asks itself.
                Obstruct(error);
            }

            Fail(group, error);
            return;
        }

        transaction.Publish();
        foreach (var request in added)
        {
            request.Succeed();
        }
    }

    private static void Apply(List<LogRequest> group, Transaction transaction, List<LogRequest> added)
    {
        foreach (var request in group)
        {
            try
            {
                request.Apply(transaction);
                added.Add(request);
            }
            catch (Exception e) when (e is not KafkaException)
            {
                // A refusal adds nothing; the others go on.
                request.Fail(e);
            }
        }
    }

    private static void Fail(List<LogRequest> group, SyncError error)
    {
        foreach (var request in group)
        {
            request.Fail(new SyncException(error));
        }
    }

    private void Recover()
    {
        if (_failed.Task.IsCompleted)
        {
            return;
        }

        try
        {
            if (!_session.Reopen())
            {
                var fenced = Faults.Fenced(_session.Name);
                Volatile.Write(ref _obstacle, fenced);
                _failed.TrySetResult(fenced);
                return;
            }

            Volatile.Write(ref _obstacle, null);
            LogResumed(_logger, _session.Name);
        }
        catch (KafkaException e)
        {
            Volatile.Write(ref _obstacle, Faults.Unavailable("The log takes nothing", e.Error));
        }
    }

    private void Obstruct(SyncError error)
    {
        Volatile.Write(ref _obstacle, error);
        LogObstacle(_logger, error);
    }

    [LoggerMessage(LogLevel.Warning, "The change log takes nothing: {Error}")]
    private static partial void LogObstacle(ILogger logger, SyncError error);

    [LoggerMessage(LogLevel.Information, "The change log {Log} takes appends again.")]
    private static partial void LogResumed(ILogger logger, string log);
}
