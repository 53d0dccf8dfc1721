using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>Reads a folder of schemas as a set, so that its files may refer to each other.</summary>
internal static class SchemaFolder
{
    public const int FileBytesMax = 1 << 20;
    private const int FilesMax = 10_000;
    private const int DepthMax = 8;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Every schema file of a folder and of the folders in it, by its address. One that cannot be read is left out, and is a
    /// finding where nobody else tells of it.</summary>
    /// <param name="path">The folder; there need not be one.</param>
    /// <param name="folder">What the addresses and the findings call it: <c>internal</c>.</param>
    /// <param name="findings">Where what is wrong goes.</param>
    /// <param name="isTold">Whether what is wrong with the file is told by whoever compiles it.</param>
    public static SchemaSet Read(string path, string folder, ICollection<Finding> findings, Func<string, bool> isTold)
    {
        var documents = SchemaSet.Empty;
        if (!Directory.Exists(path))
        {
            return documents;
        }

        var read = new List<KeyValuePair<string, ReadOnlyMemory<byte>>>();
        foreach (var file in Files(path))
        {
            var name = Path.GetRelativePath(path, file.FullName).Replace(Path.DirectorySeparatorChar, '/');
            var problem = file.Length > FileBytesMax
                ? new SyncError(ErrorCode.ConfigInvalid, $"It is larger than {FileBytesMax >> 10} kB.",
                    Suggestion: "Split it up with $ref.")
                : null;
            ReadOnlyMemory<byte> bytes = problem is null ? File.ReadAllBytes(file.FullName) : default;
            bytes = bytes.Span.StartsWith(ByteOrderMark) ? bytes[ByteOrderMark.Length..] : bytes;
            problem ??= StrictJson.Check(bytes.Span, SchemaCompiler.DepthMax);
            if (problem is null)
            {
                read.Add(new(SchemaAddress.Of(folder, name), bytes));
            }
            else if (!isTold(name))
            {
                findings.Add(new Finding(FindingSeverity.Warning, "schema.unreadable", null,
                    $"{folder}/{name}{problem.Path}: {problem.Message}", problem.Suggestion ?? "Correct the document."));
            }
        }

        return documents.With(read);
    }

    private static IEnumerable<FileInfo> Files(string path) => new DirectoryInfo(path)
        .EnumerateFiles("*.json", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = DepthMax })
        .Take(FilesMax).OrderBy(static f => f.FullName, StringComparer.Ordinal);
}
