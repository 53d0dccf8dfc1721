using Duplex.Engine.Mapping;
using Duplex.Engine.Merge;
using Duplex.Engine.State;

namespace Duplex.Engine.Routing;

/// <summary>A live link opened for a decision: shadows by rule, versions and marks, to be written back as a
/// whole.</summary>
internal sealed class Pair
{
    private readonly SyncContext _sync;
    private readonly FieldValue[][] _shadows;
    private readonly long[] _versions;
    private readonly bool[] _known;

    public Pair(SyncContext sync, Link link)
    {
        _sync = sync;
        Link = link;
        _shadows = [Values.FromShadow(sync.Rules, Side.A, link.ShadowA),
            Values.FromShadow(sync.Rules, Side.B, link.ShadowB)];
        _versions = [link.VersionA, link.VersionB];
        _known = [!link.ShadowA.IsEmpty, !link.ShadowB.IsEmpty];
        Marks = LinkMarks.Parse(link.Marks);
    }

    public Link Link { get; }

    public LinkMarks Marks { get; }

    public FieldValue[] ShadowA => _shadows[0];

    public FieldValue[] ShadowB => _shadows[1];

    /// <summary>Whether both records' values were seen since they were linked.</summary>
    public bool HasMet => _known[0] && _known[1];

    /// <summary>Whether a side is known to be younger than the stored link says.</summary>
    public bool HasRisen => _versions[0] > Link.VersionA || _versions[1] > Link.VersionB;

    public bool Knows(Side side) => _known[(int)side];

    public FieldValue[] Shadow(Side side) => _shadows[(int)side];

    /// <summary>Takes values as the side's shadow.</summary>
    public void Learn(Side side, FieldValue[] values)
    {
        _shadows[(int)side] = values;
        _known[(int)side] = true;
    }

    /// <summary>The youngest time known of the side; never goes back.</summary>
    public void Raise(Side side, long micros) => _versions[(int)side] = Math.Max(_versions[(int)side], micros);

    /// <summary>The youngest time known of the side, microseconds since 1970 UTC by its own clock.</summary>
    public long Version(Side side) => _versions[(int)side];

    public Link ToLink() => Link with
    {
        ShadowA = _known[0] ? Values.ToShadow(_sync.Rules, Side.A, _shadows[0]) : default,
        ShadowB = _known[1] ? Values.ToShadow(_sync.Rules, Side.B, _shadows[1]) : default,
        VersionA = _versions[0],
        VersionB = _versions[1],
        Marks = Marks.ToUtf8(),
    };
}
