using System.Text;

namespace Duplex.Engine.Mapping.Predicates;

/// <summary>What a token of a condition is.</summary>
internal enum TokenKind
{
    /// <summary>The end of the text.</summary>
    End,
    /// <summary>A word, or a name in backticks.</summary>
    Name,
    /// <summary>A function's name, with its dollar sign.</summary>
    Function,
    /// <summary>A text in quotes.</summary>
    Text,
    /// <summary>A number.</summary>
    Number,
    /// <summary>An operator or a bracket.</summary>
    Symbol,
}

/// <summary>One token.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text, without quotes.</param>
/// <param name="Column">Where it begins, from 1.</param>
/// <param name="Quoted">Whether a name stood in backticks, and so is no keyword.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Column, bool Quoted = false);

/// <summary>Cuts a condition into tokens.</summary>
internal sealed class PredicateScanner(string text)
{
    private static readonly string[] Symbols =
        ["!=", "<=", ">=", "==", "&&", "||", "=", "<", ">", "(", ")", "[", "]", ",", ".", "!"];

    private int _at;

    /// <summary>The next token.</summary>
    public Token Next()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }

        var column = _at + 1;
        if (_at == text.Length)
        {
            return new Token(TokenKind.End, "", column);
        }

        var first = text[_at];
        if (first is '\'' or '"')
        {
            return new Token(TokenKind.Text, Quoted(first, column), column);
        }

        if (first == '`')
        {
            return new Token(TokenKind.Name, Backticked(column), column, Quoted: true);
        }

        if (char.IsAsciiDigit(first) || (first == '-' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
        {
            return Number(column);
        }

        if (first == '$' || first == '_' || char.IsLetter(first))
        {
            var start = _at++;
            while (_at < text.Length && (text[_at] == '_' || char.IsLetterOrDigit(text[_at])))
            {
                _at++;
            }

            return new Token(first == '$' ? TokenKind.Function : TokenKind.Name, text[start.._at], column);
        }

        return Symbol(first, column);
    }

    private Token Symbol(char first, int column)
    {
        foreach (var symbol in Symbols)
        {
            if (text.AsSpan(_at).StartsWith(symbol, StringComparison.Ordinal))
            {
                _at += symbol.Length;
                return symbol switch
                {
                    "==" => throw new PredicateException("== is not an operator.", column, "Write = to compare."),
                    "&&" => throw new PredicateException("&& is not an operator.", column, "Write and."),
                    "||" => throw new PredicateException("|| is not an operator.", column, "Write or."),
                    "!" => throw new PredicateException("! is not an operator.", column, "Write not (…)."),
                    _ => new Token(TokenKind.Symbol, symbol, column),
                };
            }
        }

        var shown = char.IsControl(first) ? "This character" : $"{first}";
        throw new PredicateException($"{shown} has no meaning in a condition.", column,
            "Use paths, texts in quotes, numbers, = != < <= > >= in and or not, and functions such as $exists.");
    }

    private Token Number(int column)
    {
        var start = _at++;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] is '.' or 'e' or 'E'
            || (text[_at] is '+' or '-' && text[_at - 1] is 'e' or 'E')))
        {
            _at++;
        }

        var number = text[start.._at];
        try
        {
            System.Text.Json.JsonElement.Parse(number);
        }
        catch (System.Text.Json.JsonException)
        {
            throw new PredicateException("This is not a number.", column, "Write numbers such as 10, -2.5 or 1e6.");
        }

        return new Token(TokenKind.Number, number, column);
    }

    private string Backticked(int column)
    {
        var end = text.IndexOf('`', _at + 1);
        if (end <= _at + 1)
        {
            throw new PredicateException("A name in backticks is empty or has no end.", column, "Write `odd name`.");
        }

        var name = text[(_at + 1)..end];
        _at = end + 1;
        return name;
    }

    private string Quoted(char quote, int column)
    {
        var result = new StringBuilder();
        for (_at++; _at < text.Length; _at++)
        {
            var c = text[_at];
            if (c == quote)
            {
                _at++;
                return result.ToString();
            }

            if (c != '\\')
            {
                result.Append(c);
                continue;
            }

            _at++;
            result.Append(_at < text.Length ? text[_at] switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '\\' or '\'' or '"' or '/' => text[_at],
                _ => throw new PredicateException("This escape is not known.", _at, @"Use \\ \' \"" \n \r \t."),
            } : ' ');
        }

        throw new PredicateException("The text has no closing quote.", column, $"Add {quote} at its end.");
    }
}
