using System.Text.RegularExpressions;

namespace Duplex.Engine.Jsonata.Parsing;

internal enum SyntaxKind : byte
{
    End,
    Name,
    Variable,
    String,
    Number,
    Constant,
    Regex,
    Wildcard,
    Descendant,
    Parent,
    Placeholder,
    Binary,
    Step,
    Predicate,
    Group,
    Order,
    Bind,
    Focus,
    Index,
    Apply,
    Negate,
    Array,
    Object,
    Block,
    Call,
    Partial,
    Lambda,
    Condition,
    Default,
    Coalesce,
    Transform,
}

/// <summary>What the parser makes of the tokens, before paths and scopes are worked out.</summary>
/// <param name="kind">What it is.</param>
/// <param name="text">The operator, the name or the literal.</param>
/// <param name="position">Where its token ends.</param>
internal sealed class Syntax(SyntaxKind kind, string text, int position)
{
    public SyntaxKind Kind { get; set; } = kind;

    public string Text { get; } = text;

    public int Position { get; } = position;

    public double Number { get; init; }

    public Regex? Pattern { get; init; }

    public Syntax? Left { get; set; }

    public Syntax? Right { get; set; }

    public Syntax? Third { get; set; }

    /// <summary>Elements, arguments, statements, the terms of an order; keys and values of an object in turn.</summary>
    public List<Syntax> Items { get; } = [];

    /// <summary>For each term of an order: highest first.</summary>
    public List<bool> Descending { get; } = [];

    public Signature? Signature { get; set; }

    /// <summary>Followed by <c>[]</c>.</summary>
    public bool KeepsArray { get; set; }
}
