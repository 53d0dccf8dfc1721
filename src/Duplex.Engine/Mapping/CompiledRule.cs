using System.Text.Json;
using Duplex.Engine.State;

namespace Duplex.Engine.Mapping;

/// <summary>One mapping rule, ready to run in both directions. Immutable; called from many tasks at once.</summary>
public abstract class CompiledRule
{
    /// <summary>The rule's name for people and for conflict records: A's path, or B's where A has none.</summary>
    public abstract string Name { get; }

    /// <summary>The member name under which the side's shadow keeps this rule's value: the side's path, or paths joined
    /// by '+'. Empty when the rule has no path on the side (a constant).</summary>
    public abstract string ShadowName(Side side);

    /// <summary>Whether the rule carries values from the side to the other.</summary>
    public abstract bool Flows(Side from);

    /// <summary>Reads the side's value from a whole record. <paramref name="unchanged"/> names top-level fields whose
    /// value the change does not tell.</summary>
    public abstract FieldValue Read(Side side, JsonElement record, IReadOnlyList<string> unchanged);

    /// <summary>Turns a value of the side into the other side's form. Never throws for bad data.</summary>
    /// <returns>False with a problem (one sentence, no record values) when the value has no form on the other
    /// side.</returns>
    public abstract bool TryMap(Side from, FieldValue value, out FieldValue mapped, out string? problem);

    /// <summary>
    /// Whether two values of the side mean the same: numbers by value (<c>1.50</c> is <c>1.5</c>), points in time by
    /// instant, objects without regard to member order, and, where the rule says so, absent as null.
    /// </summary>
    public abstract bool Same(Side side, FieldValue left, FieldValue right);

    /// <summary>Puts a value of the side into a record under construction, at the rule's path or paths.</summary>
    public abstract void Write(Side side, FieldValue value, RecordBuilder target);
}
