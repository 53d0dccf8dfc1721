using System.Globalization;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>Reads a pattern from its start to its end.</summary>
internal sealed class EcmaCursor(string source)
{
    private int _at;

    public bool AtEnd => _at >= source.Length;

    /// <summary>The unit that comes next; 0 at the end.</summary>
    public char Peek => AtEnd ? '\0' : source[_at];

    /// <summary>The unit before.</summary>
    public char Previous => source[_at - 1];

    /// <summary>What follows the next unit is a repetition in braces.</summary>
    public bool OpensQuantifier
    {
        get
        {
            var before = _at--;
            var opens = Braces() is not null;
            _at = before;
            return opens;
        }
    }

    public bool Take(char wanted)
    {
        if (Peek != wanted || AtEnd)
            return false;
        _at++;
        return true;
    }

    /// <summary>The next character; a pair of surrogates is one.</summary>
    public int Next()
    {
        if (AtEnd)
            throw new FormatException("it ends too soon");
        var c = source[_at++];
        return char.IsHighSurrogate(c) && char.IsLowSurrogate(Peek) ? char.ConvertToUtf32(c, source[_at++]) : c;
    }

    /// <summary>A whole number.</summary>
    public int Number()
    {
        long value = 0;
        while (char.IsAsciiDigit(Peek))
            value = Math.Min(int.MaxValue, value * 10 + (source[_at++] - '0'));
        return (int)value;
    }

    /// <summary>A name up to its closing <c>&gt;</c>.</summary>
    public string Name()
    {
        var end = source.IndexOf('>', _at);
        if (end <= _at || !IsName(source.AsSpan(_at, end - _at)))
            throw new FormatException("a group has no valid name");
        var name = source[_at..end];
        _at = end + 1;
        return name;
    }

    /// <summary>What stands between braces here.</summary>
    public string Braced()
    {
        var end = Peek == '{' ? source.IndexOf('}', _at) : -1;
        if (end < 0)
            throw new FormatException("braces are missing after an escape");
        var text = source[(_at + 1)..end];
        _at = end + 1;
        return text;
    }

    /// <summary>So many hexadecimal digits; null, without moving, when there are fewer.</summary>
    public int? Hex(int digits)
    {
        if (_at + digits > source.Length || !int.TryParse(source.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        _at += digits;
        return value;
    }

    /// <summary>The trail of a pair of surrogates written as an escape; null, without moving, when it is not
    /// there.</summary>
    public int? EscapedTrail()
    {
        var before = _at;
        if (Take('\\') && Take('u') && Hex(4) is { } trail && char.IsLowSurrogate((char)trail))
            return trail;
        _at = before;
        return null;
    }

    /// <summary>A repetition, as .NET writes it; null for none.</summary>
    public string? Quantifier()
    {
        string? quantifier = null;
        if (Take('*') || Take('+') || Take('?'))
            quantifier = Previous.ToString();
        else if (Peek == '{')
            quantifier = Braces();
        if (quantifier is null)
            return null;
        return Take('?') ? quantifier + "?" : quantifier;
    }

    private string? Braces()
    {
        var before = _at;
        if (Take('{') && char.IsAsciiDigit(Peek))
        {
            var least = Number();
            if (Take('}'))
                return string.Create(CultureInfo.InvariantCulture, $"{{{least}}}");
            if (Take(','))
            {
                if (Take('}'))
                    return string.Create(CultureInfo.InvariantCulture, $"{{{least},}}");
                var hasMost = char.IsAsciiDigit(Peek);
                var most = Number();
                if (hasMost && Take('}'))
                {
                    return most >= least
                        ? string.Create(CultureInfo.InvariantCulture, $"{{{least},{most}}}")
                        : throw new FormatException("a repetition's bounds are the wrong way round");
                }
            }
        }

        _at = before;
        return null;
    }

    private static bool IsName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsLetterOrDigit(c) && c is not ('_' or '$') && !char.IsSurrogate(c))
                return false;
        }

        return !char.IsAsciiDigit(name[0]);
    }
}
