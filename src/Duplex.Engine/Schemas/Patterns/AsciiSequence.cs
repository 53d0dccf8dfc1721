using System.Globalization;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>
/// A pattern that begins at the start and is one class of ASCII characters after another, such as <c>^[A-Z]{3}$</c>,
/// where no class that may repeat shares a character with what can follow it: each byte is looked at once.
/// </summary>
internal sealed class AsciiSequence
{
    private readonly Step[] _steps;
    private readonly bool _isWhole;

    private AsciiSequence(Step[] steps, bool isWhole)
    {
        _steps = steps;
        _isWhole = isWhole;
    }

    /// <summary>Reads a pattern that is known to be valid; null for one of another shape.</summary>
    public static AsciiSequence? TryRead(string source)
    {
        var cursor = new EcmaCursor(source);
        if (!cursor.Take('^'))
            return null;
        List<Step> steps = [];
        while (!cursor.AtEnd)
        {
            if (cursor.Take('$'))
                return cursor.AtEnd && AreApart(steps) ? new AsciiSequence([.. steps], isWhole: true) : null;
            if (ReadStep(cursor) is not { } step)
                return null;
            steps.Add(step);
        }

        return AreApart(steps) ? new AsciiSequence([.. steps], isWhole: false) : null;
    }

    /// <summary>Whether the text, which holds no escapes, matches.</summary>
    public bool IsMatch(ReadOnlySpan<byte> text)
    {
        var at = 0;
        foreach (var step in _steps)
        {
            var end = (int)Math.Min(text.Length, (long)at + step.Most);
            var first = at;
            while (at < end && step.Has(text[at]))
                at++;
            if (at - first < step.Least)
                return false;
        }

        return !_isWhole || at == text.Length;
    }

    private static Step? ReadStep(EcmaCursor cursor)
    {
        var c = cursor.Next();
        CodePointSet? set;
        switch (c)
        {
            case '[':
                set = EcmaClass.Read(cursor);
                break;
            case '\\' when cursor.Peek is 'b' or 'B' or 'k' or (>= '1' and <= '9'):
                return null;
            case '\\':
                set = EcmaClass.Set(cursor);
                if (set is null)
                {
                    var one = EcmaClass.Character(cursor, inClass: false);
                    set = CodePointSet.Of((one, one));
                }

                break;
            case '.' or '(' or ')' or '|' or '*' or '+' or '?' or '{' or '}' or '^' or ']':
                return null;
            default:
                set = CodePointSet.Of((c, c));
                break;
        }

        if (!set.TryAscii(out var low, out var high))
            return null;
        var (least, most) = Bounds(cursor.Quantifier());
        return most < 0 ? null : new Step(low, high, least, most);
    }

    private static (int Least, int Most) Bounds(string? quantifier)
    {
        switch (quantifier)
        {
            case null:
                return (1, 1);
            case "*":
                return (0, int.MaxValue);
            case "+":
                return (1, int.MaxValue);
            case "?":
                return (0, 1);
        }

        if (!quantifier.EndsWith('}'))
            return (0, -1);
        string[] bounds = quantifier[1..^1].Split(',');
        var least = int.Parse(bounds[0], CultureInfo.InvariantCulture);
        if (bounds.Length == 1)
            return (least, least);
        return (least, bounds[1].Length == 0 ? int.MaxValue : int.Parse(bounds[1], CultureInfo.InvariantCulture));
    }

    private static bool AreApart(List<Step> steps)
    {
        for (var i = 0; i < steps.Count; i++)
        {
            for (var j = i + 1; j < steps.Count && steps[i].Least < steps[i].Most; j++)
            {
                if ((steps[i].Low & steps[j].Low) != 0 || (steps[i].High & steps[j].High) != 0)
                    return false;
                if (steps[j].Least > 0)
                    break;
            }
        }

        return true;
    }

    private readonly record struct Step(ulong Low, ulong High, int Least, int Most)
    {
        public bool Has(byte unit) => unit < 128 && ((unit < 64 ? Low : High) >> (unit & 63) & 1) != 0;
    }
}
