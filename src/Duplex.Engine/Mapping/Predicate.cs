using System.Text.Json;

namespace Duplex.Engine.Mapping;

/// <summary>Decides whether a record takes part in a sync. Immutable; called from many tasks at once.</summary>
public abstract class Predicate
{
    /// <summary>The text it was compiled from.</summary>
    public abstract string Text { get; }

    /// <summary>Whether the record takes part. Absent fields compare as absent, never as an error.</summary>
    public abstract bool Holds(JsonElement record);
}
