using System.Globalization;
using System.Text;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>
/// Rewrites an ECMA-262 pattern, read as with the flag <c>u</c>, for .NET. Punctuation that needs no escape may have
/// one, and braces and brackets that open nothing stand for themselves, as outside that flag.
/// </summary>
internal sealed class EcmaTranslator
{
    private const int DepthMax = 100;
    private const string BoundaryBetween = "(?:(?<=[A-Za-z0-9_])(?![A-Za-z0-9_])|(?<![A-Za-z0-9_])(?=[A-Za-z0-9_]))";
    private const string BoundaryNowhere = "(?:(?<=[A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<![A-Za-z0-9_])(?![A-Za-z0-9_]))";

    private readonly EcmaCursor _cursor;
    private readonly StringBuilder _output = new();
    private readonly List<string?> _groups;
    private int _opened;
    private int _depth;

    private EcmaTranslator(string source)
    {
        _cursor = new EcmaCursor(source);
        _groups = EcmaGroups.Find(source);
    }

    /// <summary>Whether only a matcher that goes back can match it.</summary>
    public bool GoesBack { get; private set; }

    /// <summary>The pattern for .NET.</summary>
    public string Output => _output.ToString();

    /// <exception cref="FormatException">It is no pattern; the message says why.</exception>
    public static EcmaTranslator Translate(string source)
    {
        var translator = new EcmaTranslator(source);
        translator.Alternatives();
        if (!translator._cursor.AtEnd)
            throw new FormatException("a ')' closes nothing");
        return translator;
    }

    private void Alternatives()
    {
        if (++_depth > DepthMax)
            throw new FormatException($"its groups are nested more than {DepthMax} deep");
        while (!_cursor.AtEnd && _cursor.Peek != ')')
        {
            if (_cursor.Take('|'))
                _output.Append('|');
            else
                Term();
        }

        _depth--;
    }

    private void Term()
    {
        var isAssertion = Atom();
        var quantifier = _cursor.Quantifier();
        if (quantifier is null)
            return;
        if (isAssertion)
            throw new FormatException("there is nothing that could be repeated");
        _output.Append(quantifier);
    }

    /// <summary>Writes one atom or assertion; true for what cannot be repeated.</summary>
    private bool Atom()
    {
        var c = _cursor.Next();
        switch (c)
        {
            case '^':
                _output.Append('^');
                return true;
            case '$':
                _output.Append(@"\z");
                return true;
            case '(':
                return Group();
            case '.':
                _output.Append(EcmaSets.AnyInLine);
                return false;
            case '[':
                _output.Append(EcmaClass.Read(_cursor).ToRegex());
                return false;
            case '\\':
                return Escape();
            case '*' or '+' or '?':
                throw new FormatException("there is nothing that could be repeated");
            case '{' when _cursor.OpensQuantifier:
                throw new FormatException("there is nothing that could be repeated");
            default:
                Literal(c);
                return false;
        }
    }

    private bool Group()
    {
        var isLook = false;
        if (!_cursor.Take('?'))
        {
            _output.Append('(');
            _opened++;
        }
        else if (_cursor.Take(':'))
        {
            _output.Append("(?:");
        }
        else if (_cursor.Take('=') || _cursor.Take('!'))
        {
            isLook = true;
            _output.Append("(?").Append(_cursor.Previous);
        }
        else if (_cursor.Take('<'))
        {
            isLook = _cursor.Take('=') || _cursor.Take('!');
            if (isLook)
            {
                _output.Append("(?<").Append(_cursor.Previous);
            }
            else
            {
                _cursor.Name();
                _opened++;
                _output.Append('(');
            }
        }
        else
        {
            throw new FormatException("'(?' opens no group that ECMA-262 knows");
        }

        GoesBack |= isLook;
        Alternatives();
        if (!_cursor.Take(')'))
            throw new FormatException("a '(' is not closed");
        _output.Append(')');
        return isLook;
    }

    private bool Escape()
    {
        if (_cursor.AtEnd)
            throw new FormatException("it ends with a backslash");
        switch (_cursor.Peek)
        {
            case 'b' or 'B':
                _output.Append(_cursor.Next() == 'b' ? BoundaryBetween : BoundaryNowhere);
                GoesBack = true;
                return true;
            case >= '1' and <= '9':
                Back(_cursor.Number());
                return false;
            case 'k' when _groups.Any(static g => g is not null):
                _cursor.Next();
                if (!_cursor.Take('<'))
                    throw new FormatException("'\\k' names no group");
                var name = _cursor.Name();
                Back(_groups.IndexOf(name) + 1);
                return false;
        }

        if (EcmaClass.Set(_cursor) is { } set)
            _output.Append(set.ToRegex());
        else
            Literal(EcmaClass.Character(_cursor, inClass: false));
        return false;
    }

    private void Back(int group)
    {
        if (group < 1 || group > _groups.Count)
            throw new FormatException("a back reference names no group");
        GoesBack = true;
        // A group that has caught nothing matches the empty text, and so does one that is still open.
        _output.Append(CultureInfo.InvariantCulture, $"(?({group})(?:\\{group})|)");
    }

    private void Literal(int codePoint)
    {
        if (codePoint < 0x10000)
        {
            _output.Append(CodePointSet.Unit(codePoint));
            return;
        }

        var pair = char.ConvertFromUtf32(codePoint);
        _output.Append("(?:").Append(CodePointSet.Unit(pair[0])).Append(CodePointSet.Unit(pair[1])).Append(')');
    }
}
