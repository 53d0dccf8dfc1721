using System.Text;
using Duplex.Engine.Log;
using Duplex.Kafka.Clients;
using Duplex.Kafka.Topics;
using Duplex.Sdk;

namespace Duplex.Kafka.Writing;

/// <summary>One caller's batch. Routed on the caller's thread; checked and added on the writer's.</summary>
internal sealed class AppendRequest : LogRequest<AppendOutcome>
{
    private readonly string _source;
    private readonly ChangeBatch _batch;
    private readonly LogWriter _writer;
    private readonly CancellationToken _cancellationToken;
    private readonly PartitionLog[] _targets;
    private readonly List<Topic> _topics = new(1);

    public AppendRequest(
        LogWriter writer, string source, ChangeBatch batch, Func<string, Topic> topicOf,
        CancellationToken cancellationToken)
    {
        _writer = writer;
        _source = source;
        _batch = batch;
        _cancellationToken = cancellationToken;
        _targets = new PartitionLog[batch.Count];
        string? stream = null;
        Topic? topic = null;
        for (var index = 0; index < batch.Count; index++)
        {
            if (topic is null || !ReferenceEquals(stream, batch.Stream(index)))
            {
                stream = batch.Stream(index);
                topic = topicOf(stream);
                if (!_topics.Contains(topic))
                {
                    _topics.Add(topic);
                }
            }

            _targets[index] = topic.PartitionOf(batch.Key(index));
        }
    }

    /// <inheritdoc/>
    public override int Bytes => _batch.Bytes;

    /// <inheritdoc/>
    public override void Apply(Transaction transaction)
    {
        // The caller owns the batch again as soon as the wait ends, so cancellation counts only until here.
        _cancellationToken.ThrowIfCancellationRequested();
        Check(transaction);
        for (var index = 0; index < _batch.Count; index++)
        {
            if (_batch.Id(index) is { } named && !DeliveryId.IsPlain(named) && _targets[index].Topic.Deliveries!.IsOther(named))
            {
                Result = new AppendOutcome(0, 0, index);
                return;
            }
        }

        var source = Encoding.UTF8.GetBytes(_source);
        var now = _writer.NowMillis();
        var dropped = 0;
        for (var index = 0; index < _batch.Count; index++)
        {
            var id = _batch.Id(index);
            if (id is not null && !_targets[index].Topic.Deliveries!.Stage(id))
            {
                dropped++;
                continue;
            }

            transaction.Add(_targets[index], source, _batch, index, now);
        }

        if (_batch.Position is { } position)
        {
            transaction.Move(_source, position);
        }

        Result = new AppendOutcome(_batch.Count - dropped, dropped);
    }

    private void Check(Transaction transaction)
    {
        if (_batch.Position is { } position)
        {
            transaction.CheckPosition(_source, position);
        }

        foreach (var topic in _topics)
        {
            _writer.MakeRoom(topic, transaction);
        }

        for (var index = 0; index < _batch.Count; index++)
        {
            if (_batch.Key(index).Length + _batch.Value(index).Length > ClientFactory.EntryBytesMax)
            {
                throw new SyncException(ErrorCode.SourceUnreadable,
                    $"A change of {_batch.Stream(index)} is larger than {ClientFactory.EntryBytesMax >> 20} MB, more than a " +
                    "log on Kafka takes.", "Leave large fields out of the stream.");
            }

            if (_batch.Id(index) is not null)
            {
                _writer.RequireDeliveries(_targets[index].Topic);
            }
        }
    }
}
