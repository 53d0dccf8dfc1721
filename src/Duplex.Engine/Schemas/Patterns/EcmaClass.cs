using System.Globalization;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>Reads a class in brackets, and escapes that stand for characters.</summary>
internal static class EcmaClass
{
    /// <summary>The set up to the closing bracket; the opening one is behind the cursor.</summary>
    public static CodePointSet Read(EcmaCursor cursor)
    {
        var isNegative = cursor.Take('^');
        var set = new CodePointSet();
        while (!cursor.Take(']'))
        {
            if (cursor.AtEnd)
                throw new FormatException("a '[' is not closed");
            Item(cursor, set);
        }

        return isNegative ? set.Complement() : set;
    }

    /// <summary>The set that an escape names; null, without moving, for another escape. The backslash is behind the
    /// cursor.</summary>
    public static CodePointSet? Set(EcmaCursor cursor)
    {
        var c = cursor.Peek;
        var set = c switch
        {
            'd' or 'D' => EcmaSets.Digits,
            'w' or 'W' => EcmaSets.Words,
            's' or 'S' => EcmaSets.Spaces,
            'p' or 'P' => new CodePointSet(),
            _ => null,
        };
        if (set is null)
            return null;
        cursor.Next();
        if (c is 'p' or 'P')
        {
            var property = cursor.Braced();
            set = UnicodeProperties.Find(property)
                ?? throw new FormatException($"the property '{property}' is not known here");
        }

        return char.IsAsciiLetterUpper(c) ? set.Complement() : set;
    }

    /// <summary>The character that an escape stands for. The backslash is behind the cursor.</summary>
    public static int Character(EcmaCursor cursor, bool inClass)
    {
        var c = cursor.Next();
        switch (c)
        {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'v':
                return '\v';
            case 'f':
                return '\f';
            case 'r':
                return '\r';
            case 'b' when inClass:
                return '\b';
            case '0' when !char.IsAsciiDigit(cursor.Peek):
                return 0;
            case 'c' when char.IsAsciiLetter(cursor.Peek):
                return cursor.Next() % 32;
            case 'x':
                return cursor.Hex(2) ?? throw new FormatException("'\\x' lacks two hexadecimal digits");
            case 'u':
                return Unicode(cursor);
            default:
                return char.IsAsciiLetterOrDigit((char)c) && c < 128
                    ? throw new FormatException($"ECMA-262 has no escape '\\{(char)c}'") : c;
        }
    }

    private static int Unicode(EcmaCursor cursor)
    {
        if (cursor.Peek == '{')
        {
            var text = cursor.Braced();
            return int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
                && value is >= 0 and <= 0x10FFFF
                    ? value : throw new FormatException($"'\\u{{{text}}}' is no character");
        }

        var unit = cursor.Hex(4) ?? throw new FormatException("'\\u' lacks four hexadecimal digits");
        return char.IsHighSurrogate((char)unit) && cursor.EscapedTrail() is { } trail
            ? char.ConvertToUtf32((char)unit, (char)trail) : unit;
    }

    private static void Item(EcmaCursor cursor, CodePointSet set)
    {
        if (One(cursor, set) is not { } from || cursor.Peek != '-')
            return;
        cursor.Next();
        if (cursor.Peek == ']')
        {
            set.Add(from, from);
            set.Add('-', '-');
            return;
        }

        // A set after the dash makes the dash a plain one.
        if (One(cursor, set) is not { } to)
        {
            set.Add('-', '-');
            return;
        }

        if (to < from)
            throw new FormatException("a range's bounds are the wrong way round");
        set.Add(from, to);
    }

    private static int? One(EcmaCursor cursor, CodePointSet set)
    {
        int c = cursor.Next();
        if (c == '\\')
        {
            if (Set(cursor) is { } named)
            {
                set.Add(named);
                return null;
            }

            c = Character(cursor, inClass: true);
        }

        set.Add(c, c);
        return c;
    }
}
