using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Duplex.Tidy;

/// <summary>One file's path and text, and its syntax where it is C#.</summary>
internal sealed class SourceFile(string path, string text)
{
    private readonly Lazy<SyntaxNode> _syntax = new(() => CSharpSyntaxTree
        .ParseText(text, new CSharpParseOptions(LanguageVersion.Preview, DocumentationMode.Parse)).GetRoot());

    public string Path { get; } = path;

    public string Text { get; } = text;

    public SyntaxNode Syntax => _syntax.Value;

    public string[] Lines { get; } = text.Split('\n');

    public bool IsUnder(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);

    public Offence At(SyntaxNode node, string message) => At(node.GetLocation(), message);

    public Offence At(Location location, string message) =>
        new(Path, location.GetLineSpan().StartLinePosition.Line + 1, message);
}
