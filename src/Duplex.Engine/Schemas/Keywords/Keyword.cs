using System.Text.Json;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary>The kinds of values that a keyword looks at.</summary>
[Flags]
internal enum Kinds
{
    Objects = 1 << JsonValueKind.Object,
    Arrays = 1 << JsonValueKind.Array,
    Strings = 1 << JsonValueKind.String,
    Numbers = 1 << JsonValueKind.Number,
    All = -1,
}

/// <summary>Where a keyword stands and what it is called.</summary>
internal sealed record KeywordSite(string Name, string Pointer);

/// <summary>One compiled keyword; immutable once the schema is compiled.</summary>
internal abstract class Keyword(KeywordSite site, Kinds kinds)
{
    /// <summary>Its name.</summary>
    public string Name => site.Name;

    /// <summary>Its place in the schema document.</summary>
    public string Pointer => site.Pointer;

    /// <summary>Whether it looks at what the others of its schema have left.</summary>
    public virtual bool IsUnevaluated => false;

    /// <summary>Whether it can refuse values of the kind.</summary>
    public virtual bool LooksAt(JsonValueKind kind) => ((int)kinds & 1 << (int)kind) != 0;

    /// <summary>Whether it accepts the value. With marks, it looks at all that it applies to even after a refusal, and
    /// marks it.</summary>
    public abstract bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated);

    /// <summary>Adds an error for each breach.</summary>
    public abstract void Collect(JsonElement instance, ref Run run, Collector collector);

    /// <summary>Adds an error for each breach in what the marks leave out.</summary>
    public virtual void CollectUnevaluated(
        JsonElement instance, Evaluated looked, ref Run run, Collector collector) =>
        throw new InvalidOperationException($"{Name} looks at everything.");
}

/// <summary>A keyword that gives one error with one sentence.</summary>
internal abstract class Assertion(KeywordSite site, Kinds kinds) : Keyword(site, kinds)
{
    public abstract bool IsValid(JsonElement instance);

    /// <summary>The sentence about a value that is refused.</summary>
    protected abstract string Message(JsonElement instance);

    public sealed override bool IsValid(JsonElement instance, ref Run run, Evaluated? evaluated) => IsValid(instance);

    public sealed override void Collect(JsonElement instance, ref Run run, Collector collector)
    {
        if (!IsValid(instance))
            collector.Add(this, Message(instance));
    }
}
