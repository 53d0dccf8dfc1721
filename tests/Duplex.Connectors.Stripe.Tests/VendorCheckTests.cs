using System.Collections.Concurrent;
using System.Text;

namespace Duplex.Connectors.Stripe.Tests;

/// <summary>Every request that the connector makes is one that the vendor's checker accepts.</summary>
public sealed class VendorCheckTests(StripeMock mock) : IClassFixture<StripeMock>
{
    private readonly ConcurrentBag<string> _refused = [];
    private readonly ConcurrentBag<string> _asked = [];

    public static TheoryData<string, string, string> Writes => new()
    {
        {
            "customers",
            """
            {"name":"Ann","email":"ann@example.com","phone":"+49","description":"d","balance":-500,"tax_exempt":"reverse",
             "address":{"city":"Köln","country":"DE","line1":"Weg 1","line2":null,"postal_code":"50667","state":""},
             "shipping":{"name":"Ann","phone":"1","address":{"line1":"Weg 1"}},"metadata":{"plan":"pro","n":1},
             "preferred_locales":["de","en"],"invoice_prefix":"ABC","next_invoice_sequence":7,
             "invoice_settings":{"footer":"bye","custom_fields":[{"name":"PO","value":"7"}]}}
            """,
            """
            {"name":null,"email":null,"phone":null,"description":null,"balance":0,"tax_exempt":"none","address":null,
             "shipping":null,"metadata":{"plan":null,"x":""},"preferred_locales":["de"],
             "invoice_settings":{"footer":null,"custom_fields":[]}}
            """
        },
        {
            "products",
            """
            {"id":"our-42","name":"Pro","active":true,"description":"d","images":["https://example.com/a.png"],
             "marketing_features":[{"name":"fast"}],"metadata":{"sku":"1"},"shippable":true,"statement_descriptor":"PRO",
             "tax_code":"txcd_1","unit_label":"seat","url":"https://example.com",
             "package_dimensions":{"height":1.5,"length":2,"weight":3,"width":4}}
            """,
            """
            {"name":"Pro 2","active":false,"description":null,"images":[],"marketing_features":[],"metadata":null,
             "shippable":false,"tax_code":null,"unit_label":null,"url":null,"package_dimensions":null,"default_price":"price_1"}
            """
        },
        {
            "prices",
            """
            {"currency":"eur","product":"prod_1","unit_amount":1250,"active":true,"nickname":"monthly","lookup_key":"pro-month",
             "recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"},"tax_behavior":"exclusive",
             "billing_scheme":"per_unit","metadata":{"a":"b"}}
            """,
            """{"active":false,"nickname":null,"lookup_key":"pro-old","tax_behavior":"inclusive","metadata":{"a":null}}"""
        },
        {
            "invoices",
            """
            {"customer":"cus_1","currency":"eur","description":"d","footer":"f","auto_advance":false,
             "collection_method":"send_invoice","due_date":1800000000,"statement_descriptor":"S","number":"A-1",
             "custom_fields":[{"name":"PO","value":"7"}],"metadata":{"order":"9"},"automatic_tax":{"enabled":false}}
            """,
            """{"description":null,"footer":null,"custom_fields":[],"due_date":1800000000,"metadata":null,"auto_advance":true}"""
        },
    };

    [SkippableTheory]
    [MemberData(nameof(Writes))]
    public async Task Writes_are_accepted(string stream, string created, string changed)
    {
        var context = Context();
        await using var sink = new StripeConnector().OpenSink(context);

        var create = await sink.WriteAsync(Connection.Create(stream, created));
        var update = await sink.WriteAsync(Connection.Update(stream, create.Key, changed));
        var delete = await sink.WriteAsync(Connection.Delete(stream, create.Key));

        Accepted();
        create.Status.ShouldBe(WriteStatus.Applied);
        create.Current.ShouldNotBeNull();
        update.Status.ShouldBe(WriteStatus.Applied);
        delete.Status.ShouldBe(WriteStatus.Applied);
    }

    [SkippableFact]
    public async Task What_is_done_instead_of_a_delete_is_accepted()
    {
        var context = Context(static request => request.Method == HttpMethod.Delete
            ? ScriptedStripe.Reply(400, ErrorTests.Error("invalid_request_error"))
            : request.Method == HttpMethod.Get && request.RequestUri!.AbsolutePath == "/v1/invoices/in_1"
                ? ScriptedStripe.Reply(200, """{"id":"in_1","object":"invoice","status":"open"}""")
                : null);
        await using var sink = new StripeConnector().OpenSink(context);

        (await sink.WriteAsync(Connection.Delete("products", RecordKey.Of("prod_1"))))
            .Status.ShouldBe(WriteStatus.Applied);
        (await sink.WriteAsync(Connection.Delete("invoices", RecordKey.Of("in_1"))))
            .Status.ShouldBe(WriteStatus.Applied);

        Accepted();
        _asked.ShouldContain("POST /v1/invoices/in_1/void");
        _asked.ShouldContain("POST /v1/products/prod_1");
    }

    [SkippableFact]
    public async Task Reads_are_accepted()
    {
        var context = Context();
        var connector = new StripeConnector();
        await using var reader = connector.OpenReader(context);
        foreach (var stream in connector.Spec.Streams)
        {
            (await reader.FetchAsync(stream, [RecordKey.Of("x_1")], CancellationToken.None))[0].ShouldNotBeNull();
            await foreach (var page in reader.ListAsync(stream, CancellationToken.None))
            {
                page.ShouldNotBeEmpty();
            }
        }

        Accepted();
    }

    [SkippableFact]
    public async Task Ranges_with_a_cursor_are_accepted()
    {
        var context = Context();
        using var client = new Requests.StripeClient(context);
        foreach (var stream in Streams.StripeStream.All)
        {
            var range = new Listing.CreatedRange(stream.ListFilters[0], 1_600_000_000, 1_700_000_000, "x_1");
            await client.SendAsync(
                Requests.StripeRequest.Get(stream.Path, $"{stream.Path}?{range.Query}"), CancellationToken.None);
        }

        Accepted();
    }

    [SkippableFact]
    public async Task The_source_and_the_checks_are_accepted()
    {
        var context = Context();
        var connector = new StripeConnector();
        await using var source = connector.OpenSource(context, connector.Spec.Streams);
        await foreach (var batch in source.ReadAsync(null, CancellationToken.None))
        {
            batch.Dispose();
            if (_asked.Contains("GET /v1/invoices"))
            {
                break;
            }
        }

        await connector.CheckAsync(context,
            [.. connector.Spec.Streams.Select(static s => new StreamUse(s, true, true, true))], CancellationToken.None);
        Accepted();
        _asked.ShouldContain("GET /v1/events");
        _asked.ShouldContain("GET /v1/account");
    }

    [SkippableFact]
    public async Task The_checker_does_refuse()
    {
        await using var sink = new StripeConnector().OpenSink(Context());
        (await sink.WriteAsync(Connection.Create("customers", """{"nosuch":"1"}"""))).Error.ShouldNotBeNull()
            .Code.ShouldBe(ErrorCode.SinkRejected);
        _refused.ShouldHaveSingleItem();
    }

    private void Accepted()
    {
        _refused.ShouldBeEmpty();
        _asked.ShouldNotBeEmpty();
    }

    private ConnectorContext Context(Func<HttpRequestMessage, HttpResponseMessage?>? instead = null)
    {
        Skip.If(mock.Address is null, "stripe-mock is neither named by STRIPE_MOCK nor beside the repository.");
        return Connection.To(mock.Address!) with { HttpHandler = () => new Watch(this, instead) };
    }

    private sealed class Watch(VendorCheckTests test, Func<HttpRequestMessage, HttpResponseMessage?>? instead)
        : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (instead?.Invoke(request) is { } scripted)
            {
                return scripted;
            }

            test._asked.Add($"{request.Method} {request.RequestUri!.AbsolutePath}");
            var sent = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
            var response = await base.SendAsync(request, cancellationToken);
            if ((int)response.StatusCode >= 400)
            {
                var answer = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
                test._refused.Add($"{request.Method} {request.RequestUri} {sent}: {answer}");
            }

            return response;
        }
    }
}
