using System.Text;
using System.Text.RegularExpressions;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Parsing;

/// <summary>
/// Makes .NET's regular expressions of ECMAScript's. They run in time linear in the subject where they use nothing that
/// needs going back, such as a look-around; else a time limit holds for each search.
/// </summary>
internal static class RegexDialect
{
    private const string AnyButLineEnds = @"[^\n\r\u2028\u2029]";

    private static readonly TimeSpan _searchTimeMax = TimeSpan.FromMilliseconds(250);

    public static Regex Compile(string pattern, RegexOptions options, int position)
    {
        options |= RegexOptions.CultureInvariant;
        try
        {
            string translated = Translate(pattern, options.HasFlag(RegexOptions.Multiline));
            try
            {
                return new(translated, options | RegexOptions.NonBacktracking, _searchTimeMax);
            }
            catch (NotSupportedException)
            {
                return new(translated, options, _searchTimeMax);
            }
        }
        catch (ArgumentException e)
        {
            throw Errors.At(position, "S0303", null, e.Message);
        }
    }

    private static string Translate(string pattern, bool multiline)
    {
        var names = GroupNames(pattern);
        var result = new StringBuilder(pattern.Length + 16);
        bool inClass = false;
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
                i = Escape(pattern, i, inClass, names, result);
            else if (inClass)
            {
                // A bracket within a class is a plain character; .NET would take it for a subtraction.
                result.Append(c == '[' ? "\\[" : c.ToString());
                inClass = c != ']';
            }
            else if (c == '[')
                i = OpenClass(pattern, i, result, out inClass);
            else if (c == '(' && IsNamedGroup(pattern, i))
            {
                result.Append('(');
                i = pattern.IndexOf('>', i);
            }
            else if (c == '.')
                result.Append(AnyButLineEnds);
            else if (c == '$' && !multiline)
                result.Append("\\z");
            else
                result.Append(c);
        }
        return result.ToString();
    }

    private static int OpenClass(string pattern, int i, StringBuilder result, out bool inClass)
    {
        inClass = false;
        var rest = pattern.AsSpan(i);
        if (rest.StartsWith("[^]", StringComparison.Ordinal))
        {
            result.Append(@"[\s\S]");
            return i + 2;
        }
        if (rest.StartsWith("[]", StringComparison.Ordinal))
        {
            result.Append("(?!)");
            return i + 1;
        }
        inClass = true;
        result.Append('[');
        if (rest.Length > 1 && rest[1] == '^')
        {
            result.Append('^');
            return i + 1;
        }
        return i;
    }

    private static int Escape(string pattern, int i, bool inClass, List<string> names, StringBuilder result)
    {
        char c = pattern[i + 1];
        switch (c)
        {
            case 'd':
                result.Append(inClass ? "0-9" : "[0-9]");
                break;
            case 'D' when !inClass:
                result.Append("[^0-9]");
                break;
            case 'w':
                result.Append(inClass ? "A-Za-z0-9_" : "[A-Za-z0-9_]");
                break;
            case 'W' when !inClass:
                result.Append("[^A-Za-z0-9_]");
                break;
            case 'k' when !inClass && pattern.IndexOf('>', i) is var end and > 0 && pattern[i + 2] == '<':
                result.Append("(?:\\").Append(names.IndexOf(pattern[(i + 3)..end]) + 1).Append(')');
                return end;
            case '/' or '-' or '"' or '\'':
                result.Append(c is '-' ? "\\-" : c.ToString());
                break;
            default:
                result.Append('\\').Append(c);
                break;
        }
        return i + 1;
    }

    private static bool IsNamedGroup(string pattern, int i) =>
        i + 3 < pattern.Length && pattern[i + 1] == '?' && pattern[i + 2] == '<' && pattern[i + 3] is not ('=' or '!')
        && pattern.IndexOf('>', i) > 0;

    /// <summary>The names of the groups at the places of their numbers; those without one are empty.</summary>
    private static List<string> GroupNames(string pattern)
    {
        List<string> names = [];
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\')
                i++;
            else if (pattern[i] == '(' && (i + 1 >= pattern.Length || pattern[i + 1] != '?'))
                names.Add("");
            else if (pattern[i] == '(' && IsNamedGroup(pattern, i))
                names.Add(pattern[(i + 3)..pattern.IndexOf('>', i)]);
        }
        return names;
    }
}
