using Confluent.Kafka;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Ledgers;
using Duplex.Kafka.Reading;
using Duplex.Kafka.Topics;
using Duplex.Sdk;
using ErrorCode = Duplex.Sdk.ErrorCode;

namespace Duplex.Kafka.Writing;

/// <summary>
/// The writer's hold on the log: the producer with the installation's transactional id, and its name as the owner in the
/// ledger. On the writer's thread.
/// </summary>
internal sealed class WriterSession(
    ClientFactory clients, LogCatalog catalog, ConsumerOffsets consumers, KafkaLogOptions options) : IDisposable
{
    private static readonly TimeSpan TakeOverWithin = TimeSpan.FromSeconds(20);
    private readonly string _owner = $"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid():N}";
    private readonly Ledger _ledger = new(clients);
    private readonly HashSet<string> _met = new(StringComparer.Ordinal);
    private IProducer<byte[], byte[]>? _producer;
    private IAdminClient? _admin;
    private Probe? _probe;
    private Trimmer? _trimmer;

    /// <summary>Which log it is; made with it, or by the first that opens one that has none.</summary>
    public string Identity { get; private set; } = "";

    /// <summary>The log's name, for messages.</summary>
    public string Name => $"{_ledger.KafkaName} on {options.Bootstrap}";

    public Probe Probe => _probe!;

    public Trimmer Trimmer => _trimmer!;

    /// <summary>Takes the log over: whoever had it before cannot commit any more. Then loads what it holds.</summary>
    /// <exception cref="SyncException">The cluster cannot be reached or refuses.</exception>
    public void Open()
    {
        try
        {
            _admin = clients.Admin();
            _ledger.Ensure(_admin, options.Replicas);
            Take();
            Load(first: true);
            Sign();
        }
        catch (Exception e) when (e is KafkaException or Confluent.Kafka.Admin.CreateTopicsException)
        {
            throw new SyncException(
                Faults.Unavailable($"The change log {Name} cannot be opened", ErrorOf(e)), e);
        }
    }

    /// <summary>
    /// After an open outcome: asks the ledger who owns the log, and takes it up again if it is still this process. False
    /// if it is another one.
    /// </summary>
    public bool Reopen()
    {
        _producer?.Dispose();
        _producer = null;
        if (_ledger.Read().Owner != _owner)
        {
            return false;
        }

        Take();
        if (!Load(first: false))
        {
            return false;
        }

        Sign();
        return true;
    }

    public Transaction Begin() => new(_producer!, _ledger.KafkaName, catalog, _met);

    public void Dispose()
    {
        _producer?.Dispose();
        _probe?.Dispose();
        _admin?.Dispose();
    }

    private static Error ErrorOf(Exception e) => e switch
    {
        Confluent.Kafka.Admin.CreateTopicsException create =>
            create.Results.FirstOrDefault(static r => r.Error.IsError)?.Error ?? create.Error,
        KafkaException kafka => kafka.Error,
        _ => new Error(Confluent.Kafka.ErrorCode.Unknown),
    };

    // Ends what any earlier producer left open, one way or the other.
    private void Take()
    {
        var producer = clients.Producer();
        try
        {
            producer.Meet(null);
            var deadline = Environment.TickCount64 + (long)TakeOverWithin.TotalMilliseconds;
            while (true)
            {
                try
                {
                    producer.InitTransactions(TakeOverWithin);
                    break;
                }
                catch (KafkaRetriableException) when (Environment.TickCount64 < deadline)
                {
                    Thread.Sleep(50);
                }
            }

            _producer = producer;
            _met.Clear();
        }
        catch
        {
            producer.Dispose();
            throw;
        }
    }

    private bool Load(bool first)
    {
        var contents = _ledger.Read();
        if (!first && contents.Owner != _owner)
        {
            return false;
        }

        Identity = contents.Identity ?? "";
        foreach (var spec in contents.Topics.Values)
        {
            catalog.Topics.GetOrAdd(spec.Name, _ => new Topic(spec, TopicName.Of(clients, spec.Name))).Deliveries = null;
        }

        foreach (var (source, position) in contents.Positions)
        {
            catalog.Positions[source] = position;
        }

        if (first)
        {
            foreach (var ((consumer, topic, partition), offset) in contents.Offsets)
            {
                consumers.Load(consumer, catalog.Topics.GetValueOrDefault(topic), partition, offset);
            }
        }

        _probe?.Dispose();
        _probe = new Probe(clients);
        _trimmer = new Trimmer(_probe, _admin!, options);
        _probe.Measure([.. catalog.Topics.Values.SelectMany(static t => t.Partitions)]);
        return true;
    }

    private void Sign()
    {
        var transaction = Begin();
        if (Identity.Length == 0)
        {
            Identity = Guid.NewGuid().ToString("N");
            transaction.Put(
                LedgerKey.Of(LedgerKey.Identity), System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(Identity));
        }

        transaction.Put(LedgerKey.Of(LedgerKey.Owner), System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(_owner));
        transaction.Commit(TakeOverWithin, out _);
    }
}
