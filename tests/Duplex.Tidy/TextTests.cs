using Xunit;

namespace Duplex.Tidy;

public sealed class TextTests
{
    [Fact]
    public void Every_text_file_is_UTF8_without_mark_and_ends_its_lines_with_a_line_feed() =>
        Repository.TextPaths.SelectMany(p => TextRules.Encoding(p, File.ReadAllBytes(Repository.Full(p))))
            .ShouldBeTidy();

    [Fact]
    public void Lines_of_code_fit() => Repository.CSharp.SelectMany(TextRules.LineLength).ShouldBeTidy();

    [Fact]
    public void Files_of_code_are_short() => Repository.CSharp.SelectMany(TextRules.FileLength).ShouldBeTidy();

    [Fact]
    public void Nothing_tells_of_open_work_or_of_how_the_work_is_organised() =>
        Repository.TextPaths.Where(p => !p.StartsWith("tests/Duplex.Tidy/", StringComparison.Ordinal))
            .Select(Repository.Read).SelectMany(TextRules.Words).ShouldBeTidy();
}
