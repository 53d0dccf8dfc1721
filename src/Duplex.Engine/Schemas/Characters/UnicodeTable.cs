using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Duplex.Engine.Schemas.Characters;

/// <summary>
/// Properties of characters that the runtime does not know: scripts, binary properties, what international host names
/// allow. They are read from a table in the assembly when they are first asked for.
/// </summary>
internal static class UnicodeTable
{
    private const string Resource = "Duplex.Engine.Schemas.unicode-14.txt";

    private static readonly Lazy<Dictionary<string, string>> Lines = new(Read);
    private static readonly ConcurrentDictionary<string, int[]> Boundaries = new(StringComparer.Ordinal);

    /// <summary>The places where the property begins and ends by turns; null for an unknown name.</summary>
    public static int[]? Find(string name) =>
        Lines.Value.TryGetValue(name, out var line) ? Boundaries.GetOrAdd(name, static (_, l) => Decode(l), line) : null;

    /// <summary>Whether the character has the property.</summary>
    public static bool Has(string name, Rune character)
    {
        var boundaries = Find(name) ?? throw new ArgumentException($"There is no property {name}.", nameof(name));
        var at = Array.BinarySearch(boundaries, character.Value);
        return ((at >= 0 ? at + 1 : ~at) & 1) == 1;
    }

    private static Dictionary<string, string> Read()
    {
        using var stream = typeof(UnicodeTable).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException("The table of characters is not in the assembly.");
        using var reader = new StreamReader(stream);
        var lines = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            foreach (var name in line[..colon].Split(','))
                lines[name] = line[(colon + 1)..];
        }

        return lines;
    }

    private static int[] Decode(string line)
    {
        var at = 0;
        return [.. line.Split(' ').Select(step => at += Base36(step))];
    }

    private static int Base36(string digits)
    {
        var value = 0;
        foreach (var digit in digits)
            value = value * 36 + (char.IsAsciiDigit(digit) ? digit - '0' : digit - 'a' + 10);
        return value;
    }

    /// <summary>Whether the character is a combining mark.</summary>
    public static bool IsMark(Rune character) => Rune.GetUnicodeCategory(character) is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}
