using Xunit;

namespace Duplex.Tidy;

public sealed class CodeTests
{
    [Fact]
    public void Methods_are_short() => Repository.CSharp.SelectMany(CodeRules.MethodLength).ShouldBeTidy();

    [Fact]
    public void Constructors_take_few_parameters() =>
        Repository.CSharp.SelectMany(CodeRules.ConstructorLength).ShouldBeTidy();

    [Fact]
    public void Types_have_names_that_say_something() =>
        Repository.CSharp.SelectMany(CodeRules.TypeNames).ShouldBeTidy();

    [Fact]
    public void Folders_are_domain_nouns() => Repository.Paths.SelectMany(CodeRules.FolderNames).ShouldBeTidy();

    [Fact]
    public void Namespaces_are_file_scoped() => Repository.CSharp.SelectMany(CodeRules.Namespaces).ShouldBeTidy();

    [Fact]
    public void No_code_hides_in_a_region() => Repository.CSharp.SelectMany(CodeRules.Regions).ShouldBeTidy();

    [Fact]
    public void Classes_are_sealed_unless_something_derives_from_them() =>
        CodeRules.Sealed([.. Repository.CSharp]).ShouldBeTidy();

    [Fact]
    public void Types_stand_in_one_place() => CodeRules.Whole(Repository.CSharp).ShouldBeTidy();

    [Fact]
    public void The_contract_is_documented() =>
        Repository.CSharp.Where(f => f.IsUnder("src/Duplex.Sdk")).SelectMany(CodeRules.Documented).ShouldBeTidy();

    [Fact]
    public void Comments_do_not_tell_history() => Repository.CSharp.SelectMany(CommentRules.History).ShouldBeTidy();

    [Fact]
    public void The_engine_takes_time_and_chance_from_outside_and_blocks_no_thread() =>
        Repository.CSharp.Where(f => f.IsUnder("src/Duplex.Engine")).SelectMany(CallRules.Engine).ShouldBeTidy();

    [Fact]
    public void Tests_wait_for_conditions_and_never_sleep() =>
        Repository.CSharp.Where(f => f.IsUnder("tests") && !f.IsUnder("tests/Duplex.Tidy")).SelectMany(CallRules.Tests)
            .ShouldBeTidy();
}
