using System.Text.RegularExpressions;

namespace Duplex.Tidy;

/// <summary>Documents point only at what exists.</summary>
internal static partial class DocumentRules
{
    public static IEnumerable<Offence> Links(SourceFile file, Func<string, bool> exists, Func<string, string> read)
    {
        foreach (var (line, text) in Prose(file))
        {
            foreach (Match match in Link().Matches(text))
            {
                string target = match.Groups[1].Value;
                if (target.Contains("://", StringComparison.Ordinal)
                    || target.StartsWith("mailto:", StringComparison.Ordinal))
                    continue;
                string[] parts = target.Split('#', 2);
                string path = parts[0].Length == 0 ? file.Path : Resolve(file.Path, parts[0]);
                if (!exists(path))
                    yield return new(file.Path, line, $"links to {target}, which does not exist");
                else if (parts.Length == 2 && !Anchors(read(path)).Contains(parts[1]))
                    yield return new(file.Path, line, $"links to {target}, which has no such heading");
            }
        }
    }

    /// <summary>Paths of the repository that stand in backquotes.</summary>
    public static IEnumerable<Offence> Paths(SourceFile file, Func<string, bool> exists) =>
        from prose in Prose(file)
        from Match match in QuotedPath().Matches(prose.Text)
        let path = match.Groups[1].Value.TrimEnd('/')
        where !path.Contains('*') && !path.Contains("Acme", StringComparison.Ordinal) && !exists(path)
        select new Offence(file.Path, prose.Line, $"names {path}, which does not exist");

    public static IEnumerable<string> Anchors(string markdown) =>
        from line in markdown.Split('\n')
        where line.StartsWith('#')
        let heading = line.TrimStart('#').Trim().ToLowerInvariant()
        select NotAnchor().Replace(heading, "").Replace(' ', '-');

    private static IEnumerable<(int Line, string Text)> Prose(SourceFile file)
    {
        bool fenced = false;
        for (int i = 0; i < file.Lines.Length; i++)
        {
            if (file.Lines[i].StartsWith("```", StringComparison.Ordinal))
                fenced = !fenced;
            else if (!fenced)
                yield return (i + 1, file.Lines[i]);
        }
    }

    private static string Resolve(string from, string target) =>
        Path.GetRelativePath("/", Path.GetFullPath(target, "/" + Path.GetDirectoryName(from))).Replace('\\', '/');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:src|docs|tests|connectors|simulators|bench|eng|\.ci)/[\w./*-]+)`")]
    private static partial Regex QuotedPath();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotAnchor();
}
