using System.Collections.Concurrent;
using System.Diagnostics;

namespace Duplex.Tidy;

/// <summary>The files of the repository that this assembly was built in: what git tracks or would track.</summary>
internal static class Repository
{
    private static readonly string[] _textEndings =
        [".cs", ".csproj", ".props", ".slnx", ".md", ".json", ".yaml", ".yml", ".sh", ".editorconfig", ".gitignore",
            ".razor",
            ".css", ".js", ".sql", ".txt"];

    private static readonly ConcurrentDictionary<string, SourceFile> _read = new(StringComparer.Ordinal);

    public static string Root { get; } = FindRoot();

    /// <summary>Paths relative to the root, with forward slashes, in ordinal order.</summary>
    public static IReadOnlyList<string> Paths { get; } = ListPaths();

    public static IEnumerable<string> TextPaths =>
        Paths.Where(p => _textEndings.Any(e => p.EndsWith(e, StringComparison.Ordinal))
            || !Path.GetFileName(p).Contains('.'));

    public static IEnumerable<SourceFile> CSharp =>
        Paths.Where(p => p.EndsWith(".cs", StringComparison.Ordinal)).Select(Read);

    public static IEnumerable<SourceFile> Markdown =>
        Paths.Where(p => p.EndsWith(".md", StringComparison.Ordinal)).Select(Read);

    public static IEnumerable<string> Projects => Paths.Where(p => p.EndsWith(".csproj", StringComparison.Ordinal));

    public static SourceFile Read(string path) =>
        _read.GetOrAdd(path, static p => new SourceFile(p, File.ReadAllText(Full(p))));

    public static string Full(string path) => Path.Combine(Root, path);

    public static bool Has(string path) => File.Exists(Full(path)) || Directory.Exists(Full(path));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Duplex.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No Duplex.slnx above {AppContext.BaseDirectory}.");
    }

    private static string[] ListPaths()
    {
        var start = new ProcessStartInfo("git", "-c safe.directory=* ls-files -z --cached --others --exclude-standard")
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start) ?? throw new InvalidOperationException("git did not start.");
        string listed = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        if (git.ExitCode != 0)
            throw new InvalidOperationException($"git ls-files ended with {git.ExitCode} in {Root}.");
        string[] paths =
            [.. listed.Split('\0', StringSplitOptions.RemoveEmptyEntries).Distinct().Where(p => File.Exists(Full(p)))];
        Array.Sort(paths, StringComparer.Ordinal);
        return paths;
    }
}
