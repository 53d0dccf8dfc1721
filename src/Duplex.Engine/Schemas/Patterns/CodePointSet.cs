using System.Globalization;
using System.Text;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>A set of Unicode characters, written as a regular expression over UTF-16 units.</summary>
internal sealed class CodePointSet
{
    private const int Last = 0x10FFFF;
    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;
    private const int FirstAstral = 0x10000;

    private readonly List<(int From, int To)> _ranges = [];

    public static CodePointSet Of(params ReadOnlySpan<(int From, int To)> ranges)
    {
        var set = new CodePointSet();
        foreach (var (from, to) in ranges)
            set.Add(from, to);
        return set;
    }

    public void Add(int from, int to) => _ranges.Add((from, to));

    public void Add(CodePointSet other) => _ranges.AddRange(other._ranges);

    /// <summary>All characters that are not in it.</summary>
    public CodePointSet Complement()
    {
        var rest = new CodePointSet();
        var next = 0;
        foreach (var (from, to) in Merged())
        {
            if (from > next)
                rest.Add(next, from - 1);
            next = to + 1;
        }

        if (next <= Last)
            rest.Add(next, Last);
        return rest;
    }

    /// <summary>The set as bits, where it holds ASCII characters only.</summary>
    public bool TryAscii(out ulong low, out ulong high)
    {
        (low, high) = (0, 0);
        foreach (var (from, to) in _ranges)
        {
            if (to > 127)
                return false;
            for (var at = from; at <= to; at++)
            {
                if (at < 64)
                    low |= 1UL << at;
                else
                    high |= 1UL << (at & 63);
            }
        }

        return true;
    }

    /// <summary>The expression, whole enough to be repeated.</summary>
    public string ToRegex()
    {
        var units = new StringBuilder();
        var trails = new SortedDictionary<int, StringBuilder>();
        foreach (var (from, to) in Merged())
        {
            AddUnits(units, from, Math.Min(to, FirstSurrogate - 1));
            AddUnits(units, Math.Max(from, LastSurrogate + 1), Math.Min(to, FirstAstral - 1));
            if (to >= FirstAstral)
                AddPairs(trails, Math.Max(from, FirstAstral), to);
        }

        // Leads with the same trails share a branch: matchers are built in time that grows with the branches.
        List<string> branches = units.Length > 0 ? [$"[{units}]"] : [];
        foreach (var group in trails.GroupBy(static t => t.Value.ToString(), static t => t.Key))
            branches.Add($"[{string.Concat(group.Select(Unit))}][{group.Key}]");
        return branches.Count switch
        {
            0 => @"[^\s\S]",
            1 when units.Length > 0 => branches[0],
            _ => $"(?:{string.Join('|', branches)})",
        };
    }

    /// <summary>One UTF-16 unit in an expression.</summary>
    public static string Unit(int unit) => char.IsAsciiLetterOrDigit((char)unit)
        ? ((char)unit).ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{unit:X4}");

    private List<(int From, int To)> Merged()
    {
        List<(int From, int To)> merged = [];
        foreach (var range in _ranges.Order())
        {
            if (merged.Count > 0 && range.From <= merged[^1].To + 1)
                merged[^1] = (merged[^1].From, Math.Max(merged[^1].To, range.To));
            else
                merged.Add(range);
        }

        return merged;
    }

    private static void AddUnits(StringBuilder units, int from, int to)
    {
        if (from > to)
            return;
        units.Append(Unit(from));
        if (to > from)
            units.Append('-').Append(Unit(to));
    }

    private static void AddPairs(SortedDictionary<int, StringBuilder> trails, int from, int to)
    {
        var (firstLead, firstTrail) = Split(from);
        var (lastLead, lastTrail) = Split(to);
        for (var lead = firstLead; lead <= lastLead; lead++)
        {
            if (!trails.TryGetValue(lead, out var units))
                trails[lead] = units = new StringBuilder();
            AddUnits(units, lead == firstLead ? firstTrail : 0xDC00, lead == lastLead ? lastTrail : 0xDFFF);
        }
    }

    private static (int Lead, int Trail) Split(int codePoint) =>
        (0xD800 + ((codePoint - FirstAstral) >> 10), 0xDC00 + ((codePoint - FirstAstral) & 0x3FF));
}
