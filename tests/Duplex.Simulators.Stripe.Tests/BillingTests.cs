using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class BillingTests() : SimulatorTests(new StripeSimulatorOptions { Limits = StripeLimits.None })
{
    [Fact]
    public async Task A_product_may_choose_its_id_once()
    {
        (await Stripe.PostAsync("/v1/products", "id=sku-1&name=A")).Text("id").ShouldBe("sku-1");
        var second = await Stripe.PostAsync("/v1/products", "id=sku-1&name=B");
        second.Status.ShouldBe(400);
        second.Error["code"]!.GetValue<string>().ShouldBe("resource_already_exists");
        var missing = await Stripe.PostAsync("/v1/products", "description=x");
        missing.Error["code"]!.GetValue<string>().ShouldBe("parameter_missing");
        missing.Error["param"]!.GetValue<string>().ShouldBe("name");
    }

    [Fact]
    public async Task A_product_with_prices_cannot_be_deleted_and_a_deleted_one_is_gone()
    {
        var kept = await Stripe.CreateAsync("/v1/products", "name=A");
        await Stripe.CreateAsync("/v1/prices", $"currency=eur&unit_amount=5&product={kept}");
        (await Stripe.DeleteAsync("/v1/products/" + kept)).Status.ShouldBe(400);
        var gone = await Stripe.CreateAsync("/v1/products", "name=B");
        (await Stripe.DeleteAsync("/v1/products/" + gone)).Body["deleted"]!.GetValue<bool>().ShouldBeTrue();
        (await Stripe.GetAsync("/v1/products/" + gone)).Status.ShouldBe(404);
        var happened = (await Stripe.GetAsync("/v1/events?type=product.deleted")).Data[0]!["data"]!["object"]!;
        happened["active"]!.GetValue<bool>().ShouldBeFalse();
        happened["name"]!.GetValue<string>().ShouldBe("B");
    }

    [Fact]
    public async Task Each_change_of_a_product_moves_updated_and_names_it_among_the_former_values()
    {
        var id = await Stripe.CreateAsync("/v1/products", "name=A");
        Simulator.AdvanceClock(TimeSpan.FromSeconds(10));
        var changed = await Stripe.PostAsync("/v1/products/" + id, "name=B");
        (changed.Body["updated"]!.GetValue<long>() - changed.Body["created"]!.GetValue<long>()).ShouldBeInRange(10, 20);
        var unchanged = await Stripe.PostAsync("/v1/products/" + id, "name=B");
        JsonNode.DeepEquals(unchanged.Body, changed.Body).ShouldBeTrue();
        var previous = (await Stripe.GetAsync("/v1/events")).Data[0]!["data"]!["previous_attributes"]!.AsObject();
        previous.Select(static field => field.Key).ShouldBe(["name", "updated"], ignoreOrder: true);
    }

    [Fact]
    public async Task Objects_made_by_one_request_share_its_request_in_their_events()
    {
        var price = await Stripe.PostAsync(
            "/v1/prices", "currency=EUR&unit_amount_decimal=12.5&product_data[name]=P&recurring[interval]=month", "k1");
        price.Text("currency").ShouldBe("eur");
        price.Body["unit_amount"].ShouldBeNull();
        price.Text("unit_amount_decimal").ShouldBe("12.5");
        price.Text("type").ShouldBe("recurring");
        var events = (await Stripe.GetAsync("/v1/events")).Data;
        events.Select(static one => one!["type"]!.GetValue<string>()).ShouldBe(["price.created", "product.created"]);
        events.Select(static one => one!["request"]!["idempotency_key"]!.GetValue<string>()).ShouldBe(["k1", "k1"]);
    }

    [Fact]
    public async Task A_price_keeps_its_amount_and_its_lookup_key_moves_only_when_asked()
    {
        var product = await Stripe.CreateAsync("/v1/products", "name=A");
        var form = $"currency=eur&unit_amount=5&product={product}&lookup_key=std";
        var first = await Stripe.CreateAsync("/v1/prices", form);
        (await Stripe.PostAsync("/v1/prices/" + first, "unit_amount=6")).Error["code"]!.GetValue<string>()
            .ShouldBe("parameter_unknown");
        (await Stripe.PostAsync("/v1/prices", form)).Status.ShouldBe(400);
        (await Stripe.PostAsync("/v1/products/" + product, "default_price=" + first)).Text("default_price")
            .ShouldBe(first);
        (await Stripe.PostAsync("/v1/products/" + product, "default_price=price_nosuch")).Status.ShouldBe(400);
        (await Stripe.PostAsync("/v1/products/" + product, "default_price=")).Body["default_price"].ShouldBeNull();
        var second = await Stripe.CreateAsync("/v1/prices", form + "&transfer_lookup_key=true");
        var found = (await Stripe.GetAsync("/v1/prices?lookup_keys[]=std&lookup_keys[]=other")).Data;
        found.Select(static one => one!["id"]!.GetValue<string>()).ShouldBe([second]);
        (await Stripe.GetAsync("/v1/prices/" + first)).Body["lookup_key"].ShouldBeNull();
        (await Stripe.DeleteAsync("/v1/prices/" + first)).Status.ShouldBe(404);
        (await Stripe.GetAsync($"/v1/prices?product={product}&active=true")).Data.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_invoice_follows_its_items_until_it_is_final()
    {
        var customer = await Stripe.CreateAsync("/v1/customers", "name=A");
        var invoice = await Stripe.CreateAsync("/v1/invoices", $"customer={customer}&currency=eur");
        var item = await Stripe.CreateAsync("/v1/invoiceitems", $"invoice={invoice}&customer={customer}&amount=700");
        await Stripe.CreateAsync("/v1/invoiceitems", $"invoice={invoice}&customer={customer}&amount=300");
        (await Stripe.GetAsync("/v1/invoices/" + invoice)).Body["total"]!.GetValue<long>().ShouldBe(1000);
        await Stripe.DeleteAsync("/v1/invoiceitems/" + item);
        (await Stripe.GetAsync("/v1/invoices/" + invoice)).Body["amount_due"]!.GetValue<long>().ShouldBe(300);
        var open = await Stripe.PostAsync($"/v1/invoices/{invoice}/finalize");
        open.Text("status").ShouldBe("open");
        open.Text("number").ShouldEndWith("-0001");
        (await Stripe.PostAsync($"/v1/invoices/{invoice}/finalize")).Error["code"]!.GetValue<string>()
            .ShouldBe("invoice_not_editable");
        (await Stripe.DeleteAsync("/v1/invoices/" + invoice)).Status.ShouldBe(400);
        (await Stripe.PostAsync("/v1/invoices/" + invoice, "metadata[a]=1")).Status.ShouldBe(200);
        var unpaid = await Stripe.PostAsync($"/v1/invoices/{invoice}/pay");
        unpaid.Status.ShouldBe(402);
        unpaid.Error["type"]!.GetValue<string>().ShouldBe("card_error");
        (await Stripe.PostAsync($"/v1/invoices/{invoice}/void")).Text("status").ShouldBe("void");
        (await Stripe.GetAsync($"/v1/invoices?customer={customer}&status=void")).Data.Count.ShouldBe(1);
        (await Stripe.GetAsync($"/v1/invoices/{invoice}/lines")).Data.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Pending_items_join_an_invoice_that_asks_for_them_and_a_deleted_draft_leaves_nothing()
    {
        var customer = await Stripe.CreateAsync("/v1/customers", "name=A");
        await Stripe.CreateAsync("/v1/invoiceitems", $"customer={customer}&amount=100&currency=eur");
        (await Stripe.GetAsync("/v1/customers/" + customer)).Text("currency").ShouldBe("eur");
        (await Stripe.GetAsync("/v1/invoiceitems?pending=true")).Data.Count.ShouldBe(1);
        var empty = await Stripe.PostAsync("/v1/invoices", $"customer={customer}");
        empty.Body["total"]!.GetValue<long>().ShouldBe(0);
        var form = $"customer={customer}&pending_invoice_items_behavior=include";
        var invoice = await Stripe.PostAsync("/v1/invoices", form);
        invoice.Body["total"]!.GetValue<long>().ShouldBe(100);
        (await Stripe.DeleteAsync("/v1/invoices/" + invoice.Text("id"))).Status.ShouldBe(200);
        Simulator.Objects("invoiceitems").ShouldBeEmpty();
        (await Stripe.PostAsync($"/v1/invoices/{empty.Text("id")}/finalize")).Text("status").ShouldBe("paid");
    }

    [Fact]
    public async Task Expansion_puts_objects_in_place_of_their_ids()
    {
        var price = await Stripe.CreateAsync("/v1/prices", "currency=eur&unit_amount=5&product_data[name]=P");
        var one = await Stripe.GetAsync($"/v1/prices/{price}?expand[]=product");
        one.Body["product"]!["name"]!.GetValue<string>().ShouldBe("P");
        var list = await Stripe.GetAsync("/v1/prices?expand[]=data.product.default_price");
        list.Data[0]!["product"]!["name"]!.GetValue<string>().ShouldBe("P");
        (await Stripe.GetAsync($"/v1/prices/{price}?expand[]=currency")).Status.ShouldBe(400);
        var customer = await Stripe.CreateAsync("/v1/customers", "name=A");
        var included = await Stripe.GetAsync($"/v1/customers/{customer}?expand[]=subscriptions");
        included.Body["subscriptions"]!["object"]!.GetValue<string>().ShouldBe("list");
    }

    [Fact]
    public async Task Search_finds_by_field_and_metadata_but_only_what_the_index_knows()
    {
        await using var lagging = await StripeSimulator.StartAsync(new() { SearchLag = TimeSpan.FromMinutes(1) });
        using var caller = new StripeCaller(lagging);
        var id = await caller.CreateAsync("/v1/customers", "email=a@x.de&name=Anna&metadata[ext_id]=42");
        await caller.CreateAsync("/v1/customers", "email=b@x.de&name=Berta");
        var query = "/v1/customers/search?query=" + Uri.EscapeDataString("metadata['ext_id']:'42' AND -name:'Berta'");
        (await caller.GetAsync(query)).Data.ShouldBeEmpty();
        lagging.AdvanceClock(TimeSpan.FromMinutes(2));
        var found = await caller.GetAsync(query);
        found.Text("object").ShouldBe("search_result");
        found.Data.Select(static one => one!["id"]!.GetValue<string>()).ShouldBe([id]);
        await caller.PostAsync("/v1/customers/" + id, "metadata[ext_id]=43");
        (await caller.GetAsync(query)).Data[0]!["metadata"]!["ext_id"]!.GetValue<string>().ShouldBe("42");
        var either = Uri.EscapeDataString("name~'ann' OR email:'b@x.de'");
        var first = await caller.GetAsync($"/v1/customers/search?query={either}&limit=1");
        first.Body["has_more"]!.GetValue<bool>().ShouldBeTrue();
        var page = Uri.EscapeDataString(first.Text("next_page"));
        var second = await caller.GetAsync($"/v1/customers/search?query={either}&limit=1&page={page}");
        second.Data.Select(static one => one!["id"]!.GetValue<string>()).ShouldBe([id]);
        (await caller.GetAsync("/v1/customers/search?query=nonsense")).Status.ShouldBe(400);
    }
}
