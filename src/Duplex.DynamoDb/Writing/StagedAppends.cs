using Duplex.DynamoDb.Heads;
using Duplex.DynamoDb.Records;
using Duplex.DynamoDb.Requests;
using Duplex.Engine.Feeds;

namespace Duplex.DynamoDb.Writing;

/// <summary>What a group of appends makes of a feed: items to write, and the head that covers them.</summary>
internal sealed class StagedAppends
{
    private readonly FeedHead _from;
    private readonly string _stamp;
    private readonly long _micros;
    private readonly Dictionary<string, long> _sources;
    private readonly List<(string Source, long Offset, FeedItem Item)> _items = [];
    private long _bytes;

    public StagedAppends(FeedHead from, string stamp, long micros)
    {
        _from = from;
        _stamp = stamp;
        _micros = micros;
        _sources = new Dictionary<string, long>(from.Sources, StringComparer.Ordinal);
    }

    public bool HasRecords => _items.Count > 0;

    /// <summary>The items, made as they are written.</summary>
    public IEnumerable<SizedWrite> Writes => _items.SelectMany(staged =>
        RecordItems.Write(_from.Name, staged.Offset, _stamp, staged.Source, staged.Item, _micros));

    public FeedHead Head => _from with
    {
        Last = _from.Last + _items.Count,
        Bytes = _from.Bytes + _bytes,
        OldestMicros = _from.First > _from.Last ? _micros : _from.OldestMicros,
        Runs = _from.Runs.Count > 0 && _from.Runs[^1].Stamp == _stamp
            ? _from.Runs
            : [.. _from.Runs, new StampedRun(_from.Last + 1, _stamp)],
        Sources = _sources,
    };

    /// <summary>Adds a caller's items; those that the feed has are dropped.</summary>
    public void Add(PendingAppend append)
    {
        for (var index = 0; index < append.Items.Count; index++)
        {
            RecordItems.Check(_from.Name, append.Items[index]);
        }

        var last = _sources.GetValueOrDefault(append.Source, -1);
        var dropped = 0;
        for (var index = 0; index < append.Items.Count; index++)
        {
            var item = append.Items[index];
            if (item.SourceOffset <= last)
            {
                dropped++;
                continue;
            }

            last = item.SourceOffset;
            _items.Add((append.Source, _from.Last + _items.Count + 1, item));
            _bytes += item.Key.Length + item.Data.Length;
        }

        if (dropped < append.Items.Count)
        {
            _sources[append.Source] = last;
        }

        append.Outcome = new FeedAppend(_from.Last + _items.Count, dropped);
    }
}
