using System.Text.RegularExpressions;

namespace Duplex.Engine.Jsonata.Parsing;

internal enum TokenKind : byte
{
    End,
    Name,
    Variable,
    Operator,
    String,
    Number,
    Constant,
    Regex,
}

/// <summary>A token of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The name, the operator, the string's value or the literal's text.</param>
/// <param name="Position">The character behind it.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Position)
{
    public double Number { get; init; }

    public Regex? Pattern { get; init; }

    public bool Is(string symbol) => Kind == TokenKind.Operator && Text == symbol;
}
