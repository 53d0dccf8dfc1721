using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Parsing;

/// <summary>Cuts an expression into tokens.</summary>
internal sealed class Lexer(string text)
{
    private const string SingleOperators = ".[]{}(),@#;:?+-*/%|=<>^&!~";

    private static readonly string[] _pairs = ["..", ":=", "!=", ">=", "<=", "**", "~>", "?:", "??"];

    private static readonly SearchValues<char> _nameEnds = SearchValues.Create(SingleOperators + " \t\n\r\v");

    private int _at;

    /// <summary>Reads the next token.</summary>
    /// <param name="afterOperand">True if a slash divides, false if it begins a regular expression.</param>
    public Token Next(bool afterOperand)
    {
        SkipBlanks();
        if (_at >= text.Length)
            return new(TokenKind.End, "(end)", text.Length);
        char c = text[_at];
        if (c == '/' && !afterOperand)
            return ReadRegex();
        foreach (string pair in _pairs)
        {
            if (text.AsSpan(_at).StartsWith(pair, StringComparison.Ordinal))
                return Operator(pair);
        }
        if (SingleOperators.Contains(c, StringComparison.Ordinal))
            return Operator(c.ToString());
        if (c is '"' or '\'')
            return ReadString(c);
        if (char.IsAsciiDigit(c))
            return ReadNumber();
        return c == '`' ? ReadQuotedName() : ReadName();
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\r' or '\v';

    private Token Operator(string symbol)
    {
        _at += symbol.Length;
        return new(TokenKind.Operator, symbol, _at);
    }

    private void SkipBlanks()
    {
        while (_at < text.Length)
        {
            if (IsBlank(text[_at]))
            {
                _at++;
                continue;
            }
            if (!text.AsSpan(_at).StartsWith("/*", StringComparison.Ordinal))
                return;
            int end = text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
            if (end < 0)
                throw Errors.At(_at, "S0106");
            _at = end + 2;
        }
    }

    private Token ReadString(char quote)
    {
        var value = new StringBuilder();
        for (_at++; _at < text.Length; _at++)
        {
            char c = text[_at];
            if (c == quote)
            {
                _at++;
                return new(TokenKind.String, value.ToString(), _at);
            }
            value.Append(c == '\\' ? ReadEscape() : c);
        }
        throw Errors.At(_at, "S0101");
    }

    /// <summary>Reads what follows a backslash; stops at its last character.</summary>
    private char ReadEscape()
    {
        _at++;
        char c = _at < text.Length ? text[_at] : '\0';
        switch (c)
        {
            case '"' or '\\' or '/': return c;
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                if (_at + 4 < text.Length && ushort.TryParse(text.AsSpan(_at + 1, 4), NumberStyles.AllowHexSpecifier,
                        CultureInfo.InvariantCulture, out ushort code))
                {
                    _at += 4;
                    return (char)code;
                }
                throw Errors.At(_at, "S0104");
            default:
                throw Errors.At(_at, "S0103", c.ToString());
        }
    }

    private Token ReadNumber()
    {
        int start = _at;
        if (text[_at] == '0')
            _at++;
        else
            SkipDigits();
        if (Peek(0) == '.' && char.IsAsciiDigit(Peek(1)))
        {
            _at++;
            SkipDigits();
        }
        if (Peek(0) is 'e' or 'E')
        {
            int sign = Peek(1) is '+' or '-' ? 1 : 0;
            if (char.IsAsciiDigit(Peek(1 + sign)))
            {
                _at += 1 + sign;
                SkipDigits();
            }
        }
        string literal = text[start.._at];
        double number = double.Parse(literal, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(number)
            ? new(TokenKind.Number, literal, _at) { Number = number }
            : throw Errors.At(start, "S0102", literal);
    }

    private char Peek(int offset) => _at + offset < text.Length ? text[_at + offset] : '\0';

    private void SkipDigits()
    {
        while (char.IsAsciiDigit(Peek(0)))
            _at++;
    }

    private Token ReadQuotedName()
    {
        int end = text.IndexOf('`', _at + 1);
        if (end < 0)
            throw Errors.At(text.Length, "S0105");
        string name = text[(_at + 1)..end];
        _at = end + 1;
        return new(TokenKind.Name, name, _at);
    }

    private Token ReadName()
    {
        int length = text.AsSpan(_at).IndexOfAny(_nameEnds);
        string name = length < 0 ? text[_at..] : text.Substring(_at, length);
        _at += name.Length;
        if (name[0] == '$')
            return new(TokenKind.Variable, name[1..], _at);
        return name switch
        {
            "and" or "or" or "in" => new(TokenKind.Operator, name, _at),
            "true" or "false" or "null" => new(TokenKind.Constant, name, _at),
            _ => new(TokenKind.Name, name, _at),
        };
    }

    private Token ReadRegex()
    {
        int start = ++_at;
        int depth = 0;
        for (; _at < text.Length; _at++)
        {
            char c = text[_at];
            if (c == '\\')
            {
                _at++;
                continue;
            }
            if (c == '/' && depth == 0)
                return FinishRegex(start);
            if (c is '(' or '[' or '{')
                depth++;
            else if (c is ')' or ']' or '}')
                depth--;
        }
        throw Errors.At(text.Length, "S0302");
    }

    private Token FinishRegex(int start)
    {
        string pattern = text[start.._at];
        if (pattern.Length == 0)
            throw Errors.At(_at, "S0301");
        var options = RegexOptions.None;
        for (_at++; Peek(0) is 'i' or 'm'; _at++)
            options |= Peek(0) == 'i' ? RegexOptions.IgnoreCase : RegexOptions.Multiline;
        return new(TokenKind.Regex, pattern, _at) { Pattern = RegexDialect.Compile(pattern, options, _at) };
    }
}
