namespace Duplex.Engine.Config;

/// <summary>One node of a configuration file, with its place in it.</summary>
/// <param name="Pointer">The JSON pointer of the node; empty for the root.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
internal abstract record ConfigNode(string Pointer, long Line, long Column)
{
    /// <summary>What kind of thing it is, for messages.</summary>
    public abstract string Describe();

    /// <summary>How many nodes it stands for once aliases are followed.</summary>
    public int Weight { get; init; } = 1;
}

/// <summary>A text, number, boolean or null, still as text.</summary>
internal sealed record ScalarNode(string Pointer, long Line, long Column, string Text, bool Quoted)
    : ConfigNode(Pointer, Line, Column)
{
    /// <summary>Whether the file says nothing here: an empty plain value, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL" && !Quoted;

    /// <inheritdoc/>
    public override string Describe() => IsNull ? "nothing" : "a single value";
}

/// <summary>A list.</summary>
internal sealed record ListNode(string Pointer, long Line, long Column, IReadOnlyList<ConfigNode> Items)
    : ConfigNode(Pointer, Line, Column)
{
    /// <inheritdoc/>
    public override string Describe() => "a list";
}

/// <summary>One member of a map.</summary>
internal readonly record struct ConfigMember(ScalarNode Name, ConfigNode Value);

/// <summary>A map; names are unique and in the file's order.</summary>
internal sealed record MapNode(string Pointer, long Line, long Column, IReadOnlyList<ConfigMember> Members)
    : ConfigNode(Pointer, Line, Column)
{
    /// <inheritdoc/>
    public override string Describe() => "a map";

    /// <summary>The member of that name, or null.</summary>
    public ConfigNode? Find(string name)
    {
        foreach (var member in Members)
        {
            if (string.Equals(member.Name.Text, name, StringComparison.Ordinal))
            {
                return member.Value;
            }
        }

        return null;
    }
}
