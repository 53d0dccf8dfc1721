using System.Text.Json;
using Duplex.Engine.Mapping;

namespace Duplex.Engine.Tests.Mapping;

public sealed class RecordBuilderTests
{
    [Fact]
    public void Members_of_one_object_come_together_whatever_stands_between_them()
    {
        var builder = new RecordBuilder();
        Set(builder, "a.b.c", "1");
        Set(builder, "x", "\"ü\"");
        Set(builder, "a.d", "null");
        Set(builder, "ab.c", "true");
        Set(builder, "a.b.e", "[1,{\"k\":2.50}]");
        Set(builder, @"a\.b.c", "{}");

        builder.Build().ToString().ShouldBe(
            """{"a":{"b":{"c":1,"e":[1,{"k":2.50}]},"d":null},"x":"ü","ab":{"c":true},"a.b":{"c":{}}}""");
    }

    [Fact]
    public void A_record_stays_as_it_is_when_its_builder_is_used_again()
    {
        var builder = new RecordBuilder();
        Set(builder, "a", "1");
        var first = builder.Build();
        builder.Clear();
        Set(builder, "bcd.e", "\"long enough to cover what was there\"");

        builder.Build().ToString().ShouldBe("""{"bcd":{"e":"long enough to cover what was there"}}""");
        first.ToString().ShouldBe("""{"a":1}""");
    }

    [Fact]
    public void What_has_no_value_is_not_written()
    {
        var builder = new RecordBuilder();
        builder.Set(new FieldPath("a"), FieldValue.Absent);
        builder.Set(new FieldPath("b.c"), FieldValue.Unchanged);

        builder.Count.ShouldBe(0);
        builder.Build().ToString().ShouldBe("{}");
    }

    private static void Set(RecordBuilder builder, string path, string json) =>
        builder.Set(new FieldPath(path), FieldValue.Of(JsonElement.Parse(json)));
}
