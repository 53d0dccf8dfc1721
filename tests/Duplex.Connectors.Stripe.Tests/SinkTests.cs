namespace Duplex.Connectors.Stripe.Tests;

public sealed class SinkTests
{
    [Fact]
    public async Task A_create_an_update_and_a_delete_reach_Stripe()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());

        var created = await sink.WriteAsync(Connection.Create("customers",
            """{"name":"Ann","email":"ann@example.com","address":{"city":"Köln"},"metadata":{"plan":"pro","old":"1"}}"""));
        created.Status.ShouldBe(WriteStatus.Applied, $"{created.Error}");
        created.RequestId.ShouldNotBeNull().ShouldStartWith("req_");
        created.AtMicros.ShouldBeGreaterThan(0);
        var id = created.Key.Parts().Single();
        created.Current.ShouldNotBeNull().Root.GetProperty("id").GetString().ShouldBe(id);

        var updated = await sink.WriteAsync(Connection.Update("customers", created.Key,
            """{"name":"Bo","address":{"country":"DE"},"metadata":{"old":null}}"""));
        updated.Status.ShouldBe(WriteStatus.Applied, $"{updated.Error}");
        var customer = stripe.Find("customers", id).ShouldNotBeNull();
        customer.GetProperty("name").GetString().ShouldBe("Bo");
        customer.GetProperty("email").GetString().ShouldBe("ann@example.com", "what is not named is not touched");
        customer.GetProperty("metadata").GetRawText().ShouldBe("""{"plan":"pro"}""");

        (await sink.WriteAsync(Connection.Delete("customers", created.Key))).Status.ShouldBe(WriteStatus.Applied);
        stripe.Find("customers", id).ShouldBeNull();
    }

    [Fact]
    public async Task Null_unsets_a_field_of_an_existing_object()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var key = stripe.Created("/v1/customers", "name=Ann&phone=1&metadata[a]=1&metadata[b]=2");

        await sink.WriteAsync(Connection.Update("customers", key, """{"phone":null,"metadata":null}"""));

        var customer = stripe.Find("customers", key.ToString()).ShouldNotBeNull();
        customer.GetProperty("phone").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        customer.GetProperty("metadata").GetRawText().ShouldBe("{}");
        customer.GetProperty("name").GetString().ShouldBe("Ann");
    }

    [Fact]
    public async Task A_write_repeated_under_its_key_is_done_once()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var create = Connection.Create("customers", """{"name":"Ann"}""");

        var first = await sink.WriteAsync(create);
        var second = await sink.WriteAsync(create);

        second.Status.ShouldBe(WriteStatus.Applied);
        second.Key.ShouldBe(first.Key);
        stripe.All("customers").Length.ShouldBe(1);
    }

    [Fact]
    public async Task The_same_key_for_something_else_is_an_alarm()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var key = Connection.NewKey();
        await sink.WriteAsync(Connection.Create("customers", """{"name":"Ann"}""", key));

        (await sink.WriteAsync(Connection.Create("customers", """{"name":"Bo"}""", key))).Error.ShouldNotBeNull()
            .Code.ShouldBe(ErrorCode.SinkKeyReused);
        stripe.All("customers").Length.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_gone_is_gone_for_an_update_and_done_for_a_delete()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var key = stripe.Created("/v1/customers", "name=Ann");
        stripe.EditOnDashboard("DELETE", $"/v1/customers/{key}");

        foreach (var gone in new[] { key, RecordKey.Of("cus_never") })
        {
            (await sink.WriteAsync(Connection.Update("customers", gone, """{"name":"Bo"}"""))).Error.ShouldNotBeNull()
                .Code.ShouldBe(ErrorCode.SinkGone);
            (await sink.WriteAsync(Connection.Delete("customers", gone))).Status.ShouldBe(WriteStatus.Applied);
        }
    }

    [Fact]
    public async Task A_product_may_have_our_key_and_only_once()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var create = Connection.Create("products", """{"name":"Pro"}""") with { Key = RecordKey.Of("our-42") };

        (await sink.WriteAsync(create)).Key.ShouldBe(RecordKey.Of("our-42"));
        var again = await sink.WriteAsync(create with { IdempotencyKey = Connection.NewKey() });
        again.Error.ShouldNotBeNull().Code.ShouldBe(ErrorCode.SinkExists);
        again.Key.ShouldBe(RecordKey.Of("our-42"), "it says which record is there");
    }

    [Fact]
    public async Task A_field_that_Stripe_does_not_know_is_refused_by_name()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        var error = (await sink.WriteAsync(Connection.Create("customers", """{"nosuch":"1"}""")))
            .Error.ShouldNotBeNull();
        error.Code.ShouldBe(ErrorCode.SinkRejected);
        error.Path.ShouldBe("nosuch");
    }

    [Fact]
    public async Task A_write_without_a_usable_key_or_fields_fails_alone()
    {
        await using var stripe = await Simulator.StartAsync();
        await using var sink = new StripeConnector().OpenSink(stripe.Context());
        (await sink.WriteAsync(Connection.Update("customers", default, """{"name":"Bo"}"""))).Error.ShouldNotBeNull()
            .Code.ShouldBe(ErrorCode.SinkRejected);
        (await sink.WriteAsync(Connection.Create("customers", """{"metadata":{"a[b]":"1"}}"""))).Error.ShouldNotBeNull()
            .Code.ShouldBe(ErrorCode.SinkRejected);
        (await sink.WriteAsync(Connection.Create("nosuch", """{"name":"Bo"}"""))).Status.ShouldBe(WriteStatus.Failed);
        stripe.RequestCount.ShouldBe(0);
    }
}
