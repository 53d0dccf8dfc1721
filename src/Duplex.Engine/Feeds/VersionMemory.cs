using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// Knows the highest version that a leg has seen of each record of a partition, and leaves out the changes that are older. What it
/// learns becomes durable with the position that follows from it and never before, so that a page that is read again after a crash is
/// decided as it was. Records whose changes carry no version cost nothing. Owned by one loop.
/// </summary>
internal sealed class VersionMemory(FeedLeg leg, string table)
{
    private const int ChangesMax = 8_192;

    private readonly Dictionary<RecordKey, Known> _page = [];
    private readonly List<StateMutation> _pageLines = [];
    private readonly Dictionary<RecordKey, RecordVersion> _unrecorded = [];
    private readonly List<StateMutation> _unrecordedLines = [];

    /// <summary>Whether so much is known that is not durable that the position is recorded soon.</summary>
    public bool IsFull => _unrecorded.Count + _unrecordedLines.Count >= ChangesMax;

    /// <summary>Looks up what is known of the page's records, in one go.</summary>
    public async ValueTask BeginAsync(LogPage page, CancellationToken cancellationToken)
    {
        _page.Clear();
        _pageLines.Clear();
        List<RecordKey>? asked = null;
        for (var i = 0; i < page.Count; i++)
        {
            if (page.Value(i).Span.IndexOf("\"version\":"u8) < 0)
            {
                continue;
            }

            var key = RecordKey.FromUtf8(page.Key(i).Span);
            if (_unrecorded.TryGetValue(key, out var version))
            {
                _page[key] = new Known(version, false);
            }
            else if (_page.TryAdd(key, default))
            {
                (asked ??= []).Add(key);
            }
        }

        if (asked is not null)
        {
            var found = await leg.FindVersionsAsync(table, asked, cancellationToken);
            for (var i = 0; i < asked.Count; i++)
            {
                _page[asked[i]] = new Known(RecordVersion.FromStored(found[i]), false);
            }
        }
    }

    /// <summary>Takes up a change's version. True if the change is older than one that came before it.</summary>
    public bool IsSuperseded(RecordKey key, Change change)
    {
        if (change.Version is null)
        {
            return false;
        }

        var version = RecordVersion.Of(change);
        var known = _page.GetValueOrDefault(key).Version;
        if (version.IsBefore(known))
        {
            _pageLines.Add(leg.Line(key, change, TimelineKind.Superseded, new TimelineDetail
            {
                Message = $"Version {version} came after version {known} and was left out.",
            }));
            return true;
        }

        // A name takes the place of an order that its source has given up, and needs no memory of its own.
        var next = version.HasOrder ? version : default;
        if (!next.Equals(known))
        {
            _page[key] = new Known(next, true);
        }

        return false;
    }

    /// <summary>The page is in the feed: what was learnt from it goes with the position behind it.</summary>
    public void Keep()
    {
        foreach (var (key, known) in _page)
        {
            if (known.IsChanged)
            {
                _unrecorded[key] = known.Version;
            }
        }

        _unrecordedLines.AddRange(_pageLines);
        _page.Clear();
        _pageLines.Clear();
    }

    /// <summary>Adds what is to be recorded with the position.</summary>
    public void AddTo(List<StateMutation> mutations)
    {
        foreach (var (key, version) in _unrecorded)
        {
            mutations.Add(new StateMutation.PutVersion(leg.Id, table, key, version.HasOrder ? version.ToString() : null));
        }

        mutations.AddRange(_unrecordedLines);
    }

    /// <summary>All of it is durable.</summary>
    public void Recorded()
    {
        _unrecorded.Clear();
        _unrecordedLines.Clear();
    }

    private readonly record struct Known(RecordVersion Version, bool IsChanged);
}
