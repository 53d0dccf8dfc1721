using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Duplex.Tidy;

/// <summary>The shape of C#: lengths, names, modifiers.</summary>
internal static class CodeRules
{
    public const int MethodLinesMax = 70;
    public const int ConstructorParametersMax = 6;

    private static readonly string[] _emptyEndings =
        ["Manager", "Helper", "Helpers", "Util", "Utils", "Utilities", "Utility", "Common", "Impl", "Info",
            "Processor"];

    private static readonly string[] _emptyFolders =
        ["Models", "Services", "Interfaces", "Helpers", "Dtos", "Common", "Core", "Shared", "Utils", "Util"];

    public static IEnumerable<Offence> MethodLength(SourceFile file) =>
        from node in file.Syntax.DescendantNodes()
        where node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax
        let body = node switch
        {
            BaseMethodDeclarationSyntax m => (SyntaxNode?)m.Body ?? m.ExpressionBody,
            LocalFunctionStatementSyntax f => (SyntaxNode?)f.Body ?? f.ExpressionBody,
            AccessorDeclarationSyntax a => (SyntaxNode?)a.Body ?? a.ExpressionBody,
            _ => null,
        }
        where body is not null
        let span = body.GetLocation().GetLineSpan()
        let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
        where lines > MethodLinesMax
        select file.At(node, $"method of {lines} lines, at most {MethodLinesMax}");

    /// <summary>The lines, from 0, on which there is a text.</summary>
    public static IEnumerable<int> LinesOfTexts(SourceFile file) =>
        from node in file.Syntax.DescendantNodes()
        where node is InterpolatedStringExpressionSyntax
            or LiteralExpressionSyntax { RawKind: (int)SyntaxKind.StringLiteralExpression
                or (int)SyntaxKind.Utf8StringLiteralExpression }
        let span = node.GetLocation().GetLineSpan()
        from line in Enumerable.Range(span.StartLinePosition.Line,
            span.EndLinePosition.Line - span.StartLinePosition.Line + 1)
        select line;

    public static IEnumerable<Offence> ConstructorLength(SourceFile file) =>
        from node in file.Syntax.DescendantNodes()
        let parameters = node switch
        {
            ConstructorDeclarationSyntax c => c.ParameterList,
            ClassDeclarationSyntax c => c.ParameterList,
            StructDeclarationSyntax s => s.ParameterList,
            _ => null,
        }
        where parameters?.Parameters.Count > ConstructorParametersMax
        select file.At(node,
            $"constructor of {parameters.Parameters.Count} parameters, at most {ConstructorParametersMax}");

    public static IEnumerable<Offence> TypeNames(SourceFile file) =>
        from type in file.Syntax.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
        let name = type.Identifier.ValueText
        from ending in _emptyEndings
        where name.EndsWith(ending, StringComparison.Ordinal)
        select file.At(type.Identifier.GetLocation(), $"'{name}': '{ending}' says nothing");

    public static IEnumerable<Offence> FolderNames(string path) =>
        from folder in path.Split('/').SkipLast(1)
        where _emptyFolders.Contains(folder, StringComparer.OrdinalIgnoreCase)
        select new Offence(path, 1, $"folder '{folder}' is not a domain noun");

    public static IEnumerable<Offence> Namespaces(SourceFile file) =>
        from node in file.Syntax.DescendantNodes().OfType<NamespaceDeclarationSyntax>()
        select file.At(node, "namespace with a block; namespaces are file-scoped");

    public static IEnumerable<Offence> Regions(SourceFile file) =>
        from trivia in file.Syntax.DescendantTrivia()
        where trivia.IsKind(SyntaxKind.RegionDirectiveTrivia)
        select file.At(trivia.GetLocation(), "#region");

    /// <summary>Classes are sealed, static or abstract, except those that another class of the repository derives
    /// from, and proxies, which the runtime derives from.</summary>
    public static IEnumerable<Offence> Sealed(IReadOnlyCollection<SourceFile> files)
    {
        var bases = files.SelectMany(f => f.Syntax.DescendantNodes().OfType<BaseListSyntax>())
            .SelectMany(b => b.Types).Select(t => t.Type.ToString().Split('<')[0].Split('.')[^1])
                .ToHashSet(StringComparer.Ordinal);
        return from file in files
               from type in file.Syntax.DescendantNodes().OfType<TypeDeclarationSyntax>()
               where type is ClassDeclarationSyntax
                   or RecordDeclarationSyntax { ClassOrStructKeyword.RawKind: not (int)SyntaxKind.StructKeyword }
               where !type.Modifiers.Any(m => m.Kind() is SyntaxKind.SealedKeyword or SyntaxKind.StaticKeyword
                   or SyntaxKind.AbstractKeyword or SyntaxKind.PartialKeyword)
               where !bases.Contains(type.Identifier.ValueText)
               where type.BaseList?.Types[0].Type.ToString() != "DispatchProxy"
               select file.At(type.Identifier.GetLocation(), $"'{type.Identifier.ValueText}' is not sealed");
    }

    /// <summary>A type stands in one place; what is partial is so for a source generator or its nested
    /// <c>Log</c>.</summary>
    public static IEnumerable<Offence> Whole(IEnumerable<SourceFile> files) =>
        from file in files
        from type in file.Syntax.DescendantNodes().OfType<TypeDeclarationSyntax>()
        where type.Modifiers.Any(SyntaxKind.PartialKeyword)
        group (file, type) by FullName(type) into parts
        where parts.Count() > 1
        from part in parts.Skip(1)
        select part.file.At(part.type.Identifier.GetLocation(), $"a second part of {parts.Key}");

    /// <summary>Public types and their public members say what they are.</summary>
    public static IEnumerable<Offence> Documented(SourceFile file) =>
        from member in file.Syntax.DescendantNodes().OfType<MemberDeclarationSyntax>()
        where member is not (BaseNamespaceDeclarationSyntax or GlobalStatementSyntax or IncompleteMemberSyntax)
        where IsVisible(member) && !HasDocumentation(member)
        select file.At(member, "public and without a documentation comment");

    private static string FullName(SyntaxNode node) =>
        string.Join('.', node.AncestorsAndSelf().Reverse().Select(n => n switch
    {
        BaseNamespaceDeclarationSyntax space => space.Name.ToString(),
        TypeDeclarationSyntax type => type.Identifier.ValueText,
        _ => "",
    }).Where(n => n.Length > 0));

    private static bool IsVisible(MemberDeclarationSyntax member)
    {
        if (member.AncestorsAndSelf().OfType<BaseTypeDeclarationSyntax>().Any(t => t != member && !IsPublic(t)))
            return false;
        if (member is EnumMemberDeclarationSyntax)
            return true;
        return member.Parent is InterfaceDeclarationSyntax || IsPublic(member);
    }

    private static bool IsPublic(MemberDeclarationSyntax member) =>
        member.Modifiers.Any(SyntaxKind.PublicKeyword) || member.Parent is InterfaceDeclarationSyntax;

    private static bool HasDocumentation(MemberDeclarationSyntax member) => member.GetLeadingTrivia()
        .Any(t => t.Kind() is SyntaxKind.SingleLineDocumentationCommentTrivia
            or SyntaxKind.MultiLineDocumentationCommentTrivia);
}
