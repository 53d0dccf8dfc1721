using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Merge;

/// <summary>What a merge decided about one pair of records.</summary>
internal sealed class MergeResult(FieldValue[] shadowA, FieldValue[] shadowB)
{
    /// <summary>The values to keep as A's shadow once the writes are done.</summary>
    public FieldValue[] ShadowA { get; } = shadowA;

    /// <summary>The same for B.</summary>
    public FieldValue[] ShadowB { get; } = shadowB;

    /// <summary>Fields to write to A: rule, wanted value, value believed to be there.</summary>
    public List<FieldWrite> WritesA { get; } = [];

    /// <summary>The same for B.</summary>
    public List<FieldWrite> WritesB { get; } = [];

    /// <summary>Conflicts that were decided or that wait.</summary>
    public List<FieldConflict> Conflicts { get; } = [];

    /// <summary>Rules whose value has no form on the other side, with the reason.</summary>
    public List<(string Rule, string Problem)> Problems { get; } = [];

    /// <summary>Rules that were waiting for a person and no longer differ.</summary>
    public List<string> Released { get; } = [];

    /// <summary>The shadow of a side.</summary>
    public FieldValue[] Shadow(Side side) => side == Side.A ? ShadowA : ShadowB;

    /// <summary>The writes to a side.</summary>
    public List<FieldWrite> Writes(Side side) => side == Side.A ? WritesA : WritesB;

    /// <summary>Whether anything must be written.</summary>
    public bool HasWrites => WritesA.Count + WritesB.Count > 0;
}

/// <summary>One field to write.</summary>
internal readonly record struct FieldWrite(int Rule, FieldValue Wanted, FieldValue Believed);

/// <summary>One conflict: both values, what A held before where that is known, and the side that won (null while it
/// waits).</summary>
internal sealed record FieldConflict(
    int Rule, FieldValue ValueA, FieldValue ValueB, FieldValue Base, Side? Winner, string Policy);
