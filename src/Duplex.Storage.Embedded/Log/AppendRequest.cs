using System.Buffers;
using Duplex.Engine.Log;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;

namespace Duplex.Storage.Embedded.Log;

/// <summary>
/// One caller's batch on its way to the disk. Routed on the caller's thread; checked, deduplicated and staged on the
/// writer's.
/// </summary>
internal sealed class AppendRequest : WriteRequest<AppendOutcome>
{
    private readonly LogWriter _writer;
    private readonly string _source;
    private readonly ChangeBatch _batch;
    private readonly CancellationToken _cancellationToken;
    private readonly List<Topic> _topics = new(1);
    private readonly PartitionLog[] _targets;

    public AppendRequest(
        LogWriter writer, string source, ChangeBatch batch, Func<string, Topic> topicOf,
            CancellationToken cancellationToken)
    {
        _writer = writer;
        _source = source;
        _batch = batch;
        _cancellationToken = cancellationToken;
        _targets = ArrayPool<PartitionLog>.Shared.Rent(batch.Count);
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
    public override void Apply()
    {
        // The caller owns the batch again as soon as the wait ends, so cancellation counts only until the writer takes
        // it up.
        _cancellationToken.ThrowIfCancellationRequested();
        if (_batch.Position is { } position)
        {
            _writer.CheckPosition(_source, position);
        }

        foreach (var topic in _topics)
        {
            _writer.CheckQuota(topic);
        }

        for (var index = 0; index < _batch.Count; index++)
        {
            if (_writer.IsOther(_targets[index], _batch, index))
            {
                Result = new AppendOutcome(0, 0, index);
                return;
            }
        }

        var dropped = 0;
        var now = _writer.NowMicros();
        for (var index = 0; index < _batch.Count; index++)
        {
            if (!_writer.Stage(_targets[index], _batch, index, now))
            {
                dropped++;
            }
        }

        if (_batch.Position is not null)
        {
            _writer.StagePosition(_source, _batch.Position);
        }

        Result = new AppendOutcome(_batch.Count - dropped, dropped);
    }

    /// <inheritdoc/>
    public override void Succeed()
    {
        Return();
        base.Succeed();
    }

    /// <inheritdoc/>
    public override void Fail(Exception error)
    {
        Return();
        base.Fail(error);
    }

    private void Return() => ArrayPool<PartitionLog>.Shared.Return(_targets, clearArray: true);
}
