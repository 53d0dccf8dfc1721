using Shouldly;
using Xunit;

namespace Duplex.Tidy;

/// <summary>Each rule is shown something that breaks it: a rule that never fires holds nothing.</summary>
public sealed class RuleTests
{
    [Theory]
    [InlineData("class Open { }", "is not sealed")]
    [InlineData("sealed class RowManager { }", "says nothing")]
    [InlineData("namespace A { }", "file-scoped")]
    [InlineData("#region X\n#endregion\n", "#region")]
    [InlineData("sealed class A(int a, int b, int c, int d, int e, int f, int g) { }", "constructor of 7 parameters")]
    [InlineData("public sealed class A { public int B { get; } }", "without a documentation comment")]
    [InlineData("partial class A { }\npartial class A { }", "a second part of A")]
    [InlineData("// Previously this was slow.\nsealed class A { }", "tells history")]
    [InlineData("sealed class A { long B() => DateTime.UtcNow.Ticks; }", "banned in the engine")]
    [InlineData("sealed class A { Task B() => Task.Delay(5); }", "without a TimeProvider")]
    [InlineData("sealed class A { int B() => C().Result; }", "blocks a thread")]
    [InlineData("sealed class A { void B() => C().GetAwaiter().GetResult(); }", "blocks a thread")]
    public void Code_that_breaks_a_rule_is_found(string code, string message)
    {
        var file = new SourceFile("src/Some/File.cs", code);
        IEnumerable<Offence> offences =
        [
            .. CodeRules.Sealed([file]), .. CodeRules.TypeNames(file), .. CodeRules.Namespaces(file),
                .. CodeRules.Regions(file),
            .. CodeRules.ConstructorLength(file), .. CodeRules.Documented(file), .. CommentRules.History(file),
            .. CallRules.Engine(file), .. CodeRules.Whole([file]),
        ];
        offences.ShouldContain(o => o.Message.Contains(message));
    }

    [Theory]
    [InlineData("sealed class A { Task B() => Task.Delay(TimeSpan.FromSeconds(1), _clock, stop); }")]
    [InlineData("abstract class A { }\nsealed class B : A { }")]
    [InlineData("class A { }\nsealed class B : A { }")]
    [InlineData("/// <summary>Says what it is.</summary>\npublic sealed class A { int _hidden; }")]
    [InlineData("sealed class A { async Task<int> B() => (await C()).Result; }")]
    public void Code_that_keeps_the_rules_is_left_alone(string code)
    {
        var file = new SourceFile("src/Some/File.cs", code);
        IEnumerable<Offence> offences =
            [.. CodeRules.Sealed([file]), .. CodeRules.Documented(file), .. CallRules.Engine(file)];
        offences.ShouldBeEmpty();
    }

    [Fact]
    public void A_long_method_is_found_and_one_at_the_limit_is_not()
    {
        static SourceFile Method(int lines) =>
            new("src/Some/File.cs", "sealed class A\n{\nvoid B()\n{\n" + new string('\n', lines - 2) + "}\n}\n");

        CodeRules.MethodLength(Method(CodeRules.MethodLinesMax)).ShouldBeEmpty();
        CodeRules.MethodLength(Method(CodeRules.MethodLinesMax + 1)).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_long_line_and_a_long_file_are_found()
    {
        TextRules.LineLength(new("src/File.cs", new string('a', TextRules.LineCharactersMax + 1)))
            .ShouldHaveSingleItem();
        TextRules.LineLength(new("src/File.cs", A_text(TextRules.TextLineCharactersMax))).ShouldBeEmpty();
        TextRules.LineLength(new("src/File.cs", A_text(TextRules.TextLineCharactersMax + 1))).ShouldHaveSingleItem();
        TextRules.FileLength(new("src/File.cs", new string('\n', 501))).ShouldHaveSingleItem();
        TextRules.FileLength(new("tests/File.cs", new string('\n', 501))).ShouldBeEmpty();

        static string A_text(int characters) => $"var a = \"{new string('a', characters - 11)}\";";
    }

    [Theory]
    [InlineData("// TODO: finish", "leaves work open")]
    [InlineData("See issue 12.", "organised")]
    [InlineData("Copied from /work/shared/x.", "organised")]
    public void Words_about_the_work_are_found(string text, string message) =>
        TextRules.Words(new("docs/a.md", text)).ShouldContain(o => o.Message.Contains(message));

    [Theory]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, (byte)'a', (byte)'\n' }, "byte order mark")]
    [InlineData(new byte[] { (byte)'a', (byte)'\r', (byte)'\n' }, "carriage returns")]
    [InlineData(new byte[] { 0xFF, (byte)'\n' }, "not UTF-8")]
    [InlineData(new byte[] { (byte)'a' }, "line feed")]
    public void Text_in_another_form_is_found(byte[] bytes, string message) =>
        TextRules.Encoding("a.md", bytes).ShouldContain(o => o.Message.Contains(message));

    [Fact]
    public void Folders_that_say_nothing_are_found() =>
        CodeRules.FolderNames("src/Duplex.Engine/Helpers/A.cs").ShouldHaveSingleItem();

    [Fact]
    public void A_test_that_sleeps_is_found() =>
        CallRules.Tests(new("tests/A.cs", "sealed class A { Task B() => Task.Delay(5); }")).ShouldHaveSingleItem();
}
