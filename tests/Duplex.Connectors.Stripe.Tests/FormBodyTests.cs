using Duplex.Connectors.Stripe.Requests;

namespace Duplex.Connectors.Stripe.Tests;

public sealed class FormBodyTests
{
    [Theory]
    [InlineData("""{"name":"Ann & Bo"}""", "name=Ann%20%26%20Bo")]
    [InlineData("""{"address":{"city":"Köln","line2":null}}""", "address[city]=K%C3%B6ln&address[line2]=")]
    [InlineData("""{"metadata":{"plan":"pro","old":null}}""", "metadata[plan]=pro&metadata[old]=")]
    [InlineData("""{"metadata":null}""", "metadata=")]
    [InlineData("""{"metadata":{}}""", "")]
    [InlineData("""{"preferred_locales":["de","en"]}""", "preferred_locales[0]=de&preferred_locales[1]=en")]
    [InlineData("""{"items":[{"price":"price_1","quantity":2}]}""", "items[0][price]=price_1&items[0][quantity]=2")]
    [InlineData("""{"images":[]}""", "images=")]
    [InlineData("""{"active":true,"shippable":false}""", "active=true&shippable=false")]
    [InlineData("""{"balance":-12345678901234567890}""", "balance=-12345678901234567890")]
    [InlineData("""{"unit_amount_decimal":12.50}""", "unit_amount_decimal=12.50")]
    [InlineData("""{"balance":1.5e3}""", "balance=1500")]
    [InlineData("""{"name":""}""", "name=")]
    [InlineData("""{"name":"a=b%+\u0000"}""", "name=a%3Db%25%2B%00")]
    [InlineData("""{"metadata":{"größe":"1","a&b":"2"}}""", "metadata[gr%C3%B6%C3%9Fe]=1&metadata[a%26b]=2")]
    public void An_update_sends_every_member_in_Stripes_form(string fields, string form) =>
        FormBody.ForUpdate(Record.FromJson(fields).Root).ToString().ShouldBe(form);

    [Theory]
    [InlineData("""{"name":null,"email":"","address":{"city":null,"country":"DE"},"images":[]}""",
        "address[country]=DE")]
    [InlineData("""{"balance":0,"active":false}""", "balance=0&active=false")]
    public void A_create_sends_nothing_for_what_is_not_there(string fields, string form) =>
        FormBody.ForCreate(Record.FromJson(fields).Root).ToString().ShouldBe(form);

    [Theory]
    [InlineData("""{"metadata":{"a[b]":"1"}}""", "metadata")]
    [InlineData("""{"a]":"1"}""", "a]")]
    [InlineData("""{"metadata":{"":"1"}}""", "metadata")]
    [InlineData("""{"name":"\ud800"}""", "name")]
    public void A_member_that_a_form_cannot_carry_is_refused_by_name(string fields, string named) =>
        Should.Throw<FormatException>(() => FormBody.ForUpdate(Record.FromJson(fields).Root))
            .Message.ShouldContain(named);
}
