using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Duplex.Tidy;

/// <summary>Comments say why, in the present tense; history belongs to git.</summary>
internal static partial class CommentRules
{
    public static IEnumerable<Offence> History(SourceFile file) =>
        from trivia in file.Syntax.DescendantTrivia()
        where trivia.Kind() is SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia
            or SyntaxKind.SingleLineDocumentationCommentTrivia or SyntaxKind.MultiLineDocumentationCommentTrivia
        let match = Past().Match(trivia.ToFullString())
        where match.Success
        select file.At(trivia.GetLocation(), $"'{match.Value.Trim()}' in a comment tells history");

    [GeneratedRegex(@"\bpreviously\b|\bas before\b|\bnow we\b|\bwe now\b|\bno longer (uses?|needed)\b|(?<=\s)#\d+\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex Past();
}
