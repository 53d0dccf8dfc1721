namespace Duplex.Connectors.Stripe.Tests;

/// <summary>Products, prices and invoices: what Stripe lets be changed and deleted, and what is done where it does
/// not.</summary>
public sealed class ObjectTests
{
    [Fact]
    public async Task A_product_without_prices_is_deleted_and_one_with_prices_is_archived_and_counts_as_deleted()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var bare = stripe.Created("/v1/products", "name=Bare");
        var sold = stripe.Created("/v1/products", "name=Sold");
        stripe.Created("/v1/prices", $"currency=eur&unit_amount=100&product={sold}");

        (await sink.WriteAsync(Connection.Delete("products", bare))).Status.ShouldBe(WriteStatus.Applied);
        (await sink.WriteAsync(Connection.Delete("products", sold))).Status.ShouldBe(WriteStatus.Applied);

        stripe.Find("products", bare.ToString()).ShouldBeNull();
        stripe.Find("products", sold.ToString()).ShouldNotBeNull().GetProperty("active").GetBoolean().ShouldBeFalse();
        await GoneAsync(stripe, "products", sold);
    }

    [Fact]
    public async Task A_price_is_archived_and_counts_as_deleted_until_a_person_takes_it_up_again()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var product = stripe.Created("/v1/products", "name=Pro");
        var price = stripe.Created("/v1/prices", $"currency=eur&unit_amount=100&product={product}");
        var delete = Connection.Delete("prices", price);

        (await sink.WriteAsync(delete)).Status.ShouldBe(WriteStatus.Applied);
        (await sink.WriteAsync(delete)).Status.ShouldBe(WriteStatus.Applied);
        await GoneAsync(stripe, "prices", price);

        stripe.EditOnDashboard("POST", $"/v1/prices/{price}", "active=true");
        await using var reader = new StripeConnector().OpenReader(stripe.Context());
        (await reader.FetchAsync("prices", [price], CancellationToken.None))[0].ShouldNotBeNull();
    }

    [Fact]
    public async Task A_price_that_a_person_archived_is_a_record_like_any_other()
    {
        await using var stripe = await Simulator.StartAsync();
        var product = stripe.Created("/v1/products", "name=Pro");
        var active = stripe.Created("/v1/prices", $"currency=eur&unit_amount=100&product={product}");
        var archived = stripe.Created("/v1/prices", $"currency=eur&unit_amount=200&product={product}");
        stripe.EditOnDashboard("POST", $"/v1/prices/{archived}", "active=false");

        (await KeysAsync(stripe, "prices")).ShouldBe([active, archived], ignoreOrder: true);
    }

    [Fact]
    public async Task What_a_price_costs_cannot_be_changed_and_its_name_can()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var product = stripe.Created("/v1/products", "name=Pro");
        var created = await sink.WriteAsync(Connection.Create("prices",
            $$"""{"currency":"eur","product":"{{product}}","unit_amount":1250,"recurring":{"interval":"month"} }"""));
        created.Status.ShouldBe(WriteStatus.Applied, $"{created.Error}");

        var renamed = await sink.WriteAsync(Connection.Update("prices", created.Key, """{"nickname":"monthly"}"""));
        renamed.Status.ShouldBe(WriteStatus.Applied, $"{renamed.Error}");
        var repriced = await sink.WriteAsync(Connection.Update("prices", created.Key, """{"unit_amount":1}"""));
        repriced.Error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkRejected);
        repriced.Error.Path.ShouldBe("unit_amount");
        stripe.Find("prices", created.Key.ToString()).ShouldNotBeNull().GetProperty("unit_amount").GetInt64()
            .ShouldBe(1250);
    }

    [Fact]
    public async Task A_reference_to_nothing_is_the_records_fault_and_not_its_absence()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());

        var price = await sink.WriteAsync(
            Connection.Create("prices", """{"currency":"eur","unit_amount":1,"product":"prod_none"}"""));
        var invoice = await sink.WriteAsync(Connection.Create("invoices", """{"customer":"cus_none"}"""));

        price.Error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkRejected, $"{price.Error}");
        price.Error.Path.ShouldBe("product");
        invoice.Error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkRejected, $"{invoice.Error}");
        invoice.Error.Path.ShouldBe("customer");
    }

    [Fact]
    public async Task A_draft_invoice_is_deleted_an_open_one_voided_and_a_paid_one_stays()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var customer = stripe.Created("/v1/customers", "name=Ann");
        var draft = await InvoiceAsync(sink, customer);
        var open = await InvoiceAsync(sink, customer);
        var paid = await InvoiceAsync(sink, customer);
        foreach (var invoice in new[] { open, paid })
        {
            stripe.EditOnDashboard("POST", "/v1/invoiceitems",
                $"customer={customer}&invoice={invoice}&amount=500&currency=usd");
            stripe.EditOnDashboard("POST", $"/v1/invoices/{invoice}/finalize");
        }

        stripe.EditOnDashboard("POST", $"/v1/invoices/{paid}/pay", "paid_out_of_band=true");
        Status(stripe, open).ShouldBe("open");
        var delete = Connection.Delete("invoices", open);
        (await sink.WriteAsync(delete)).Status.ShouldBe(WriteStatus.Applied);
        (await sink.WriteAsync(delete with { IdempotencyKey = Connection.NewKey() }))
            .Status.ShouldBe(WriteStatus.Applied);
        Status(stripe, open).ShouldBe("void");
        await GoneAsync(stripe, "invoices", open);

        (await sink.WriteAsync(Connection.Delete("invoices", draft))).Status.ShouldBe(WriteStatus.Applied);
        stripe.Find("invoices", draft.ToString()).ShouldBeNull();
        var refused = (await sink.WriteAsync(Connection.Delete("invoices", paid))).Error.ShouldNotBeNull();
        refused.Code.ShouldBe(ErrorCode.SinkRejected);
        refused.Message.ShouldContain("paid");
        Status(stripe, paid).ShouldBe("paid");
    }

    [Fact]
    public async Task Every_stream_is_snapshotted_and_followed()
    {
        await using var stripe = await Simulator.StartAsync();
        var customer = stripe.Created("/v1/customers", "name=Ann");
        var product = stripe.Created("/v1/products", "name=Pro");
        var price = stripe.Created("/v1/prices", $"currency=eur&unit_amount=100&product={product}");
        var invoice = stripe.Created("/v1/invoices", $"customer={customer}");
        stripe.AdvanceClock(TimeSpan.FromMinutes(5));
        var connector = new StripeConnector();
        await using var source = connector.OpenSource(stripe.Context(), connector.Spec.Streams);
        var journal = new Journal();
        await journal.ReadAsync(source, static j => j.Changes.Count == 4);

        journal.Changes.Select(static c => c.Key).ShouldBe([customer, product, price, invoice], ignoreOrder: true);
        stripe.EditOnDashboard("POST", $"/v1/products/{product}", "name=Pro 2");
        stripe.EditOnDashboard("POST", $"/v1/prices/{price}", "nickname=n");
        stripe.EditOnDashboard("POST", $"/v1/invoices/{invoice}/finalize");
        await journal.ReadAsync(source, static j =>
            ((string[])["products", "prices", "invoices"]).All(s =>
                j.Changes.Any(c => c.Stream == s && c.Operation == ChangeOperation.Update)));

        journal.Changes.Last(static c => c.Stream == "invoices").After.ShouldNotBeNull()
            .Root.GetProperty("status").GetString().ShouldNotBe("draft");
    }

    private static async Task<RecordKey> InvoiceAsync(IRecordSink sink, RecordKey customer)
    {
        var outcome = await sink.WriteAsync(Connection.Create("invoices",
            $$"""{"customer":"{{customer}}","collection_method":"send_invoice","days_until_due":30}"""));
        outcome.Status.ShouldBe(WriteStatus.Applied, $"{outcome.Error}");
        return outcome.Key;
    }

    private static string? Status(StripeSimulator stripe, RecordKey invoice) =>
        stripe.Find("invoices", invoice.ToString()).ShouldNotBeNull().GetProperty("status").GetString();

    /// <summary>A deleted record is gone in every way of reading, and its event is a delete that carries our
    /// mark.</summary>
    private static async Task GoneAsync(StripeSimulator stripe, string stream, RecordKey key)
    {
        await using var reader = new StripeConnector().OpenReader(stripe.Context());
        (await reader.FetchAsync(stream, [key], CancellationToken.None))[0].ShouldBeNull();
        (await KeysAsync(stripe, stream)).ShouldNotContain(key);

        await using var source = new StripeConnector().OpenSource(stripe.Context(), [stream]);
        var journal = new Journal();
        await journal.ReadAsync(source, j => j.Of(key.ToString())
            .Any(static c => c.Operation == ChangeOperation.Delete));
        var change = journal.Of(key.ToString()).Last(static c => c.Operation == ChangeOperation.Delete);
        OriginMarks.IsOurs(change.Origin, "aaaaaaaa").ShouldBeTrue();
        change.Before.ShouldNotBeNull().Root.GetProperty("id").GetString().ShouldBe(key.ToString());
    }

    private static async Task<List<RecordKey>> KeysAsync(StripeSimulator stripe, string stream)
    {
        await using var reader = new StripeConnector().OpenReader(stripe.Context());
        var keys = new List<RecordKey>();
        await foreach (var page in reader.ListAsync(stream, CancellationToken.None))
        {
            keys.AddRange(page.Select(static r => r.Key));
        }

        return keys;
    }
}
