using System.Text.Json.Nodes;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class CustomerTests : SimulatorTests
{
    [Fact]
    public async Task A_created_customer_is_retrieved_as_it_was_answered()
    {
        var made = await Stripe.PostAsync(
            "/v1/customers",
            "name=J%C3%B6rg+%F0%9F%98%80&email=j%40x.de&metadata[a%20b]=1&address[city]=K%C3%B6ln&balance=-250");
        made.Status.ShouldBe(200);
        made.Text("name").ShouldBe("Jörg 😀");
        made.Body["balance"]!.GetValue<long>().ShouldBe(-250);
        made.Body["metadata"]!["a b"]!.GetValue<string>().ShouldBe("1");
        made.Body["address"]!.AsObject().Select(static field => field.Key).ShouldBe(
            ["city", "country", "line1", "line2", "postal_code", "state"]);
        var read = await Stripe.GetAsync("/v1/customers/" + made.Text("id"));
        JsonNode.DeepEquals(read.Body, made.Body).ShouldBeTrue();
    }

    [Fact]
    public async Task An_update_changes_only_what_it_names_and_an_empty_text_unsets()
    {
        var id = await Stripe.CreateAsync("/v1/customers", "name=A&email=a@x.de&phone=1&metadata[a]=1&metadata[b]=2");
        var after = await Stripe.PostAsync("/v1/customers/" + id, "name=B&phone=&metadata[a]=&metadata[c]=3");
        after.Text("name").ShouldBe("B");
        after.Text("email").ShouldBe("a@x.de");
        after.Body["phone"].ShouldBeNull();
        after.Body["metadata"]!.ToJsonString().ShouldBe("""{"b":"2","c":"3"}""");
        (await Stripe.PostAsync("/v1/customers/" + id, "metadata=")).Body["metadata"]!.ToJsonString().ShouldBe("{}");
    }

    [Fact]
    public async Task A_deleted_customer_answers_with_a_stub_and_takes_no_more_changes()
    {
        var id = await Stripe.CreateAsync("/v1/customers", "name=A");
        var stub = new JsonObject { ["id"] = id, ["object"] = "customer", ["deleted"] = true };
        JsonNode.DeepEquals((await Stripe.DeleteAsync("/v1/customers/" + id)).Body, stub).ShouldBeTrue();
        JsonNode.DeepEquals((await Stripe.GetAsync("/v1/customers/" + id)).Body, stub).ShouldBeTrue();
        (await Stripe.GetAsync("/v1/customers")).Data.ShouldBeEmpty();
        foreach (var answer in new[]
        {
            await Stripe.PostAsync("/v1/customers/" + id, "name=B"), await Stripe.DeleteAsync("/v1/customers/" + id),
        })
        {
            answer.Status.ShouldBe(404);
            answer.Error["code"]!.GetValue<string>().ShouldBe("resource_missing");
            answer.Error["param"]!.GetValue<string>().ShouldBe("id");
        }
    }

    [Theory]
    [InlineData("nosuch=1", "parameter_unknown", "nosuch")]
    [InlineData("address[nosuch]=1", "parameter_unknown", "address[nosuch]")]
    [InlineData("balance=1.5", "parameter_invalid_integer", "balance")]
    [InlineData("email=nope", "email_invalid", "email")]
    [InlineData("tax_exempt=maybe", null, "tax_exempt")]
    [InlineData("address=x", null, "address")]
    [InlineData("preferred_locales=de", null, "preferred_locales")]
    [InlineData("shipping[name]=A", "parameter_missing", "shipping[address]")]
    [InlineData("metadata[a][b]=1", null, "metadata[a]")]
    [InlineData("invoice_prefix=", "parameter_invalid_empty", "invoice_prefix")]
    public async Task A_wrong_parameter_is_refused_by_name_and_creates_nothing(string form, string? code, string param)
    {
        var answer = await Stripe.PostAsync("/v1/customers", form);
        answer.Status.ShouldBe(400);
        answer.Error["type"]!.GetValue<string>().ShouldBe("invalid_request_error");
        answer.Error["code"]?.GetValue<string>().ShouldBe(code);
        answer.Error["param"]!.GetValue<string>().ShouldBe(param);
        Simulator.Objects("customers").ShouldBeEmpty();
        Simulator.EventCount.ShouldBe(0);
    }

    [Fact]
    public async Task Ids_are_the_same_for_the_same_seed_only()
    {
        async Task<string> IdAsync(int? seed)
        {
            await using var other = await StripeSimulator.StartAsync(new() { Seed = seed });
            using var caller = new StripeCaller(other);
            return await caller.CreateAsync("/v1/customers", "name=A");
        }

        (await IdAsync(5)).ShouldBe(await IdAsync(5));
        (await IdAsync(null)).ShouldNotBe(await IdAsync(null));
    }

    [Fact]
    public async Task Lists_page_in_both_directions_newest_first()
    {
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            ids.Insert(0, await Stripe.CreateAsync("/v1/customers", $"name={i}"));
        }

        var first = await Stripe.GetAsync("/v1/customers?limit=3");
        Ids(first).ShouldBe(ids[..3]);
        first.Body["has_more"]!.GetValue<bool>().ShouldBeTrue();
        first.Text("url").ShouldBe("/v1/customers");
        var second = await Stripe.GetAsync($"/v1/customers?limit=3&starting_after={ids[2]}");
        Ids(second).ShouldBe(ids[3..6]);
        var last = await Stripe.GetAsync($"/v1/customers?limit=3&starting_after={ids[5]}");
        Ids(last).ShouldBe(ids[6..]);
        last.Body["has_more"]!.GetValue<bool>().ShouldBeFalse();
        var back = await Stripe.GetAsync($"/v1/customers?limit=3&ending_before={ids[5]}");
        Ids(back).ShouldBe(ids[2..5]);
        back.Body["has_more"]!.GetValue<bool>().ShouldBeTrue();
        (await Stripe.GetAsync("/v1/customers?limit=101")).Status.ShouldBe(400);
        (await Stripe.GetAsync("/v1/customers?starting_after=cus_no")).Error["param"]!.GetValue<string>()
            .ShouldBe("starting_after");
    }

    [Fact]
    public async Task Lists_filter_by_creation_second_and_by_exact_email()
    {
        Simulator.Seed("""
            {"id":"cus_a","email":"a@x.de","created":100}
            {"id":"cus_c","email":"a@x.de","created":300}
            {"id":"cus_b","email":"A@x.de","created":200}
            """u8.ToArray());
        Ids(await Stripe.GetAsync("/v1/customers")).ShouldBe(["cus_c", "cus_b", "cus_a"]);
        Ids(await Stripe.GetAsync("/v1/customers?created[gte]=200&created[lt]=300")).ShouldBe(["cus_b"]);
        Ids(await Stripe.GetAsync("/v1/customers?created[gt]=100")).ShouldBe(["cus_c", "cus_b"]);
        Ids(await Stripe.GetAsync("/v1/customers?created=100")).ShouldBe(["cus_a"]);
        Ids(await Stripe.GetAsync("/v1/customers?email=a%40x.de")).ShouldBe(["cus_c", "cus_a"]);
        var page = await Stripe.GetAsync("/v1/customers?email=a%40x.de&limit=1");
        Ids(page).ShouldBe(["cus_c"]);
        page.Body["has_more"]!.GetValue<bool>().ShouldBeTrue();
        Ids(await Stripe.GetAsync("/v1/customers?email=a%40x.de&starting_after=cus_c")).ShouldBe(["cus_a"]);
        await Stripe.PostAsync("/v1/customers/cus_a", "email=z%40x.de");
        Ids(await Stripe.GetAsync("/v1/customers?email=a%40x.de")).ShouldBe(["cus_c"]);
    }

    [Fact]
    public async Task A_hundred_thousand_customers_are_all_listed_once()
    {
        var unlimited = await StripeSimulator.StartAsync(new() { Limits = Limits.StripeLimits.None });
        await using var owner = unlimited;
        unlimited.SeedCustomers(100_000);
        using var caller = new StripeCaller(unlimited);
        var seen = new HashSet<string>();
        var query = "/v1/customers?limit=100";
        while (true)
        {
            var page = await caller.GetAsync(query);
            Ids(page).ForEach(id => seen.Add(id).ShouldBeTrue());
            if (!page.Body["has_more"]!.GetValue<bool>())
            {
                break;
            }

            query = "/v1/customers?limit=100&starting_after=" + Ids(page)[^1];
        }

        seen.Count.ShouldBe(100_000);
    }

    private static List<string> Ids(Answer answer) =>
        [.. answer.Data.Select(static item => item!["id"]!.GetValue<string>())];
}
