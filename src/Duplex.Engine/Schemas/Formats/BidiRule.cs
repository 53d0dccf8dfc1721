using System.Text;
using Duplex.Engine.Schemas.Characters;

namespace Duplex.Engine.Schemas.Formats;

/// <summary>How labels of a host name may mix directions of writing (RFC 5893).</summary>
internal static class BidiRule
{
    private static readonly string[] Classes = ["L", "R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"];

    /// <summary>Whether the labels of one name keep to the rule, which binds them all when one is written from right to
    /// left.</summary>
    public static bool Holds(IEnumerable<string> labels)
    {
        List<List<string>> classes = [.. labels.Select(Of)];
        return !classes.Any(static l => l.Any(static c => c is "R" or "AL" or "AN")) || classes.All(Holds);
    }

    private static List<string> Of(string label) => [.. label.EnumerateRunes().Select(Class)];

    private static string Class(Rune character)
    {
        foreach (var name in Classes)
        {
            if (UnicodeTable.Has("bc=" + name, character))
                return name;
        }

        return "other";
    }

    private static bool Holds(List<string> classes)
    {
        if (classes.Count == 0)
            return true;
        var isRightToLeft = classes[0] is "R" or "AL";
        if (!isRightToLeft && classes[0] != "L")
            return false;
        var last = classes.FindLast(static c => c != "NSM");
        if (!isRightToLeft)
        {
            return last is "L" or "EN"
                && classes.All(static c => c is "L" or "EN" or "ES" or "CS" or "ET" or "ON" or "BN" or "NSM");
        }

        return last is "R" or "AL" or "EN" or "AN"
            && classes.All(static c => c is not ("L" or "other"))
            && !(classes.Contains("EN") && classes.Contains("AN"));
    }
}
