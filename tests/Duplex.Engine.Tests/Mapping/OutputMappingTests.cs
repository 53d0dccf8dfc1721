using System.Buffers;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Output;
using Duplex.Sdk;
using Shouldly;

namespace Duplex.Engine.Tests.Mapping;

public sealed class OutputMappingTests
{
    private const string User = """{"id":7,"name":"Ada","email":"A@X.org","cf_size":"L","cf_vip":true,"price":12345678901234567890.10}""";

    [Theory]
    [InlineData("{ a: id, b: userId }", """{"userId":7}""")]
    [InlineData("{ a: missing, b: userId }", "{}")]
    [InlineData("{ a: missing, b: userId, via: absent_as_null }", """{"userId":null}""")]
    [InlineData("{ a: missing, b: name, via: { default: { b: none } } }", """{"name":"none"}""")]
    [InlineData("{ b: kind, via: { constant: user } }", """{"kind":"user"}""")]
    [InlineData("{ a: email, b: contact.email, via: lowercase }", """{"contact":{"email":"a@x.org"}}""")]
    [InlineData("{ a: missing, b: contact.email }", "{}")]
    [InlineData("{ a: price, b: price }", """{"price":12345678901234567890.10}""")]
    [InlineData("{ a: cf_*, b: custom.* }", """{"custom":{"size":"L","vip":true}}""")]
    [InlineData("{ a: cf_*, b: x-* }", """{"x-size":"L","x-vip":true}""")]
    [InlineData("{ a: zz_*, b: custom.* }", "{}")]
    [InlineData("{ a: $event.key.user_id, b: key }", """{"key":7}""")]
    [InlineData("{ a: $event.operation, b: op }", """{"op":"INSERT"}""")]
    [InlineData("{ a: $event.customer, b: consumer }", """{"consumer":"customer-a"}""")]
    [InlineData("{ b: total, expression: \"$string(id) & '-' & name\" }", """{"total":"7-Ada"}""")]
    [InlineData("{ b: active, expression: \"(state ? state : 'active') = 'active'\" }", """{"active":true}""")]
    [InlineData("{ b: key, expression: $event.key.user_id }", """{"key":7}""")]
    [InlineData("{ b: was, expression: $before.id }", "{}")]
    [InlineData("{ b: price, expression: price }", """{"price":12345678901234567890.10}""")]
    [InlineData("{ b: nothing, expression: 'null' }", """{"nothing":null}""")]
    [InlineData("{ a: $event.version, b: v }", """{"v":"3"}""")]
    public void A_rule_gives_its_part_of_the_record(string rule, string output) =>
        Map($"rules: [ {rule} ]", User).ShouldBe(output);

    [Fact]
    public void Members_come_in_the_order_of_the_rules_and_nested_ones_together() =>
        Map("rules: [ { a: name, b: p.name }, { a: id, b: id }, { a: email, b: p.email } ]", User)
            .ShouldBe("""{"p":{"name":"Ada","email":"A@X.org"},"id":7}""");

    [Fact]
    public void A_field_with_a_rule_of_its_own_is_not_passed_through_as_well() =>
        Map("rules: [ { b: custom.size, via: { constant: none } }, { a: cf_*, b: custom.* } ]", User)
            .ShouldBe("""{"custom":{"size":"none","vip":true}}""");

    [Theory]
    [InlineData("rules: [ { a: id, b: id }, { a: name, b: id } ]", "mapping.duplicate_target")]
    [InlineData("rules: [ { a: id, b: p }, { a: name, b: p.x } ]", "mapping.duplicate_target")]
    [InlineData("rules: [ { a: id } ]", "mapping.one_sided")]
    [InlineData("rules: [ { a: $evnt.key, b: id } ]", "mapping.unknown_field")]
    [InlineData("rules: [ { a: 'c*f*', b: 'x*' } ]", "mapping.bad_pattern")]
    [InlineData("rules: [ { a: 'cf_*', b: x } ]", "mapping.bad_pattern")]
    [InlineData("rules: [ { a: id, b: id, via: nosuch } ]", "mapping.unknown_lens")]
    [InlineData("rules: [ { b: id, expression: 'a +' } ]", "mapping.expression")]
    [InlineData("rules: []", "config.bad_value")]
    [InlineData("{}", "config.missing")]
    [InlineData("rules: [ { a: id, b: id } ]\noperations: [ upsert ]", "config.bad_value")]
    [InlineData("rules: [ { a: id, b: id } ]\nwhen: 'status ='", "config.predicate")]
    [InlineData("rules: [ { a: id, b: id } ]\nnosuch: 1", "config.unknown_member")]
    [InlineData("rules: [ { a: id, b: id, expression: x } ]", "config.bad_value")]
    public void A_wrong_document_is_refused_with_its_place_and_fix(string document, string code)
    {
        var (mapping, findings) = MappingDocument.Read(document, "users.yaml", "users");
        mapping.ShouldBeNull();
        var finding = findings.First(static f => f.Severity == FindingSeverity.Error);
        finding.Code.ShouldBe(code);
        finding.Location.ShouldNotBeNull().ShouldStartWith("users.yaml:");
        finding.Suggestion.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("operations: [ insert ]", ChangeOperation.Create, true)]
    [InlineData("operations: [ insert ]", ChangeOperation.Read, true)]
    [InlineData("operations: [ insert ]", ChangeOperation.Update, false)]
    [InlineData("operations: [ delete, update ]", ChangeOperation.Delete, true)]
    [InlineData("when: \"name = 'Ada'\"", ChangeOperation.Update, true)]
    [InlineData("when: \"name = 'Bob'\"", ChangeOperation.Update, false)]
    public void Rules_decide_which_changes_are_carried(string rule, ChangeOperation operation, bool carried)
    {
        var (document, _) = MappingDocument.Read($"rules: [ {{ a: id, b: id }} ]\n{rule}", "users.yaml", "users");
        document!.Carries(operation, JsonElement.Parse(User)).ShouldBe(carried);
    }

    [Fact]
    public void A_delete_reads_the_image_before_it()
    {
        var change = Changed(ChangeOperation.Delete) with { After = null, Before = new Sdk.Record("""{"id":9}"""u8.ToArray()) };
        Map("rules: [ { a: id, b: id }, { a: $event.operation, b: op } ]", change).ShouldBe("""{"id":9,"op":"DELETE"}""");
    }

    private static string Map(string document, string row) =>
        Map(document, Changed(ChangeOperation.Create) with { After = new Sdk.Record(Encoding.UTF8.GetBytes(row)) });

    private static string Map(string document, Change change)
    {
        var (mapping, findings) = MappingDocument.Read(document, "users.yaml", "users");
        findings.ShouldBeEmpty();
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        mapping!.Mapping.Write(new OutputInput(change, "customer-a", TimeProvider.System), writer).ShouldBeNull();
        writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static Change Changed(ChangeOperation operation) => new()
    {
        Operation = operation,
        Stream = "users",
        Key = RecordKey.Of("7"),
        KeyFields = new Sdk.Record("""{"user_id":7}"""u8.ToArray()),
        Version = "3",
        Id = "evt-1",
    };
}
