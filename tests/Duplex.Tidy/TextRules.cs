using System.Text.RegularExpressions;

namespace Duplex.Tidy;

/// <summary>What every text file keeps to, whatever its language.</summary>
internal static partial class TextRules
{
    public const int LineCharactersMax = 140;
    public const int TextLineCharactersMax = 160;

    public static IEnumerable<Offence> Encoding(string path, byte[] bytes)
    {
        if (bytes.AsSpan().StartsWith("\uFEFF"u8))
            yield return new(path, 1, "starts with a byte order mark");
        if (bytes.AsSpan().Contains((byte)'\r'))
            yield return new(path, 1, "has carriage returns; lines end with a line feed");
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
            yield return new(path, 1, "is not UTF-8");
        if (bytes.Length > 0 && bytes[^1] != '\n')
            yield return new(path, 1, "does not end with a line feed");
    }

    /// <summary>A line that holds a text, which cannot be broken without harm, may be longer.</summary>
    public static IEnumerable<Offence> LineLength(SourceFile file)
    {
        HashSet<int> texts = [.. CodeRules.LinesOfTexts(file)];
        for (int i = 0; i < file.Lines.Length; i++)
        {
            int charactersMax = texts.Contains(i) ? TextLineCharactersMax : LineCharactersMax;
            if (file.Lines[i].Length > charactersMax)
                yield return new(file.Path, i + 1,
                    $"line of {file.Lines[i].Length} characters, at most {charactersMax}");
        }
    }

    public static IEnumerable<Offence> FileLength(SourceFile file)
    {
        int linesMax = file.IsUnder("tests") || file.Path.Contains("Tests/", StringComparison.Ordinal) ? 800 : 500;
        int lines = file.Lines.Length - 1;
        if (lines > linesMax)
            yield return new(file.Path, 1, $"{lines} lines, at most {linesMax}");
    }

    /// <summary>Words that tell how the work is organised, or that leave work open, have no place in what is
    /// delivered.</summary>
    public static IEnumerable<Offence> Words(SourceFile file)
    {
        for (int i = 0; i < file.Lines.Length; i++)
        {
            if (OpenWork().Match(file.Lines[i]) is { Success: true } open)
                yield return new(file.Path, i + 1, $"'{open.Value}' leaves work open");
            if (Organisation().Match(file.Lines[i]) is { Success: true } word)
                yield return new(file.Path, i + 1, $"'{word.Value}' tells how the work is organised");
        }
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex OpenWork();

    [GeneratedRegex(@"\bissue #?\d+|\bsub-?agents?\b|\bAI agents?\b|\bworktrees?\b|\b(phase|milestone|sprint) \d|/work/(shared|main|wt)"
        + @"|\b(RELIABILITY|SEEDS|VENDOR_FACTS|PACKAGES|STYLE|DESIGN)(\.md| §)", RegexOptions.IgnoreCase)]
    private static partial Regex Organisation();
}
