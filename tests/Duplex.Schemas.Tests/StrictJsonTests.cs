using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Schemas.Tests;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("""{"a":[1,{"b":"x"}]}""")]
    [InlineData("null")]
    [InlineData("  [1e400, -0, 123456789012345678901234567890] ")]
    [InlineData("""{"a":{"a":{"a":1}},"b":{"a":1}}""")]
    [InlineData("""["\ud83d\ude00", "\\ud83d", "😀", "\u0000"]""")]
    public void What_can_be_carried_without_change_passes(string text) => Check(text).ShouldBeNull();

    [Theory]
    [InlineData("", 0, "")]
    [InlineData("   ", 3, "")]
    [InlineData("\uFEFF{}", 0, "")]
    [InlineData("{} {}", 3, "")]
    [InlineData("[1,]", 3, "/1")]
    [InlineData("""{"a":{"b":tru}}""", 13, "/a/b")]
    [InlineData("""{"a":1,"b":{"c":1,"c":2}}""", 18, "/b/c")]
    [InlineData("""{"a":1,"\u0061":2}""", 7, "/a")]
    [InlineData("""{"\u0061":1,"a":2}""", 12, "/a")]
    [InlineData("""{"a":[0,{"x/y":"\ud800"}]}""", 15, "/a/1/x~1y")]
    [InlineData("""["\udc00\ud800"]""", 1, "/0")]
    [InlineData("""["\ud800x"]""", 1, "/0")]
    [InlineData("""["\ud800\n"]""", 1, "/0")]
    [InlineData("""{"\ud800":1}""", 1, "")]
    public void What_could_not_be_is_refused_with_its_place(string text, int offset, string pointer)
    {
        var refusal = Check(text).ShouldNotBeNull();
        refusal.Code.ShouldBe(ErrorCode.SourceUnreadable);
        refusal.Path.ShouldBe(pointer);
        refusal.Message.ShouldContain($"(byte {offset}{(pointer.Length == 0 ? "" : $", at {pointer}")})");
        refusal.Suggestion.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused_where_they_stand()
    {
        byte[] text = [.. "{\"a\":\"ok "u8, 0xC3, 0x28, .. "\"}"u8];
        Check(text).ShouldNotBeNull().Message.ShouldContain("byte 9, at /a");
        Check([0xFF, 0xFE, (byte)'{', 0]).ShouldNotBeNull();
        Check([(byte)'"', 0xED, 0xA0, 0x80, (byte)'"']).ShouldNotBeNull();
    }

    [Fact]
    public void A_member_repeated_among_thousands_is_found()
    {
        var members = Enumerable.Range(0, 5_000).Select(static i => $"\"m{i}\":{i}").ToList();
        Check($"{{{string.Join(',', members)}}}").ShouldBeNull();
        members.Add("\"m4\\u0032\":0");
        Check($"{{{string.Join(',', members)}}}").ShouldNotBeNull().Path.ShouldBe("/m42");
    }

    [Fact]
    public void The_same_names_in_different_objects_are_no_repetition()
    {
        var wide = string.Join(',', Enumerable.Range(0, 40).Select(static i => $"\"m{i}\":1"));
        Check($"[{{{wide}}},{{{wide}}},{{\"in\":{{{wide}}},\"and\":{{{wide}}}}}]").ShouldBeNull();
    }

    [Theory]
    [InlineData('[', ']')]
    [InlineData('{', '}')]
    public void Nesting_is_allowed_up_to_the_limit_and_no_further(char open, char close)
    {
        string Nested(int depth) => open == '['
            ? new string(open, depth) + new string(close, depth)
            : string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string(close, depth - 1);

        Check(Nested(64)).ShouldBeNull();
        Check(Nested(65)).ShouldNotBeNull().Message.ShouldContain("nested more than 64 deep");
        StrictJson.Check(Encoding.UTF8.GetBytes(Nested(9)), 8).ShouldNotBeNull().Message.ShouldContain("8 deep");
        Check(new string('[', 1_000_000)).ShouldNotBeNull().Message.ShouldContain("nested more than");
        Check(string.Concat(Enumerable.Repeat("{\"a\":", 300_000))).ShouldNotBeNull();
    }

    [Fact]
    public void Whatever_passes_can_be_parsed_and_every_text_in_it_read()
    {
        var random = new Random(4);
        byte[] pieces = [.. "{}[]\",:\\u0019dD8cCeE+-.truefalsn \n"u8, 0xC3, 0xA9, 0xF0, 0x9F, 0x98, 0x80, 0xED, 0xA0];
        var passed = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var seed = """{"a":"\ud83d\ude00é","b":[1.5e3,true,null,{"c":"x"}]}"""u8.ToArray();
            for (var change = random.Next(4); change > 0; change--)
                seed[random.Next(seed.Length)] = pieces[random.Next(pieces.Length)];
            if (StrictJson.Check(seed) is not null)
                continue;
            passed++;
            Read(JsonElement.Parse(seed));
        }

        passed.ShouldBeGreaterThan(1_000);
    }

    [Fact]
    public void Usual_documents_are_checked_without_allocating()
    {
        var text = """{"id":1,"name":"Ann","tags":["a","b"],"address":{"city":"Köln","zip":"50667"}}"""u8.ToArray();
        for (var i = 0; i < 100; i++)
            StrictJson.Check(text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        StrictJson.Check(text);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private static void Read(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                    Read(item);
                break;
            case JsonValueKind.Object:
                var names = value.EnumerateObject().Select(static m => m.Name).ToList();
                names.ShouldBeUnique();
                foreach (var member in value.EnumerateObject())
                    Read(member.Value);
                break;
            case JsonValueKind.String:
                value.GetString().ShouldNotBeNull();
                break;
        }
    }

    private static SyncError? Check(string text) => Check(Encoding.UTF8.GetBytes(text));

    private static SyncError? Check(byte[] text) => StrictJson.Check(text);
}
