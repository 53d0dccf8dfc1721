using System.Diagnostics;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe.Tests;

/// <summary>Compares the simulator with the vendor's own stateless checker, where that is at hand.</summary>
public sealed class VendorCheckerTests
{
    /// <summary>Fields that the checker's fixtures leave out although the vendor's schema has them.</summary>
    private static readonly string[] OptionalFields =
        ["customer_account", "tax_details", "type", "total_count", "trial_period_days"];

    [SkippableFact]
    public async Task Objects_have_the_fields_that_the_vendors_have()
    {
        using var vendor = await VendorChecker.StartAsync();
        await using var simulator = await StripeSimulator.StartAsync(new() { Limits = StripeLimits.None });
        using var ours = new StripeCaller(simulator);
        using var theirs = new StripeCaller(vendor.Address, "sk_test_123");
        var customer = await ours.CreateAsync("/v1/customers", "name=A");
        var product = await ours.CreateAsync("/v1/products", "name=A");
        foreach (var (path, form) in new (string, string)[]
        {
            ("/v1/customers", "name=A"),
            ("/v1/products", "name=A"),
            ("/v1/prices", $"currency=usd&unit_amount=5&product={product}&recurring[interval]=month"),
            ("/v1/invoiceitems", $"customer={customer}&amount=5&currency=usd"),
            ("/v1/invoices", $"customer={customer}&currency=usd&pending_invoice_items_behavior=include"),
            ("/v1/webhook_endpoints", "url=https://x.de&enabled_events[]=*"),
        })
        {
            var mine = (await ours.PostAsync(path, form)).Body;
            var wanted = (await theirs.PostAsync(path, form)).Body;
            Missing(wanted, mine).ShouldBeEmpty(path);
            Missing(mine, wanted).Except(["secret", .. OptionalFields]).ShouldBeEmpty(path);
        }

        foreach (var name in new[] { "data", "has_more", "object", "url" })
        {
            (await ours.GetAsync("/v1/customers")).Body.ContainsKey(name).ShouldBeTrue();
        }

        var happened = (await ours.GetAsync("/v1/events?limit=1")).Data[0]!.AsObject();
        Missing((await theirs.GetAsync("/v1/events?limit=1")).Data[0]!.AsObject(), happened).ShouldBeEmpty();
    }

    [SkippableTheory]
    [InlineData("customers", "name=A&email=a@x.de&phone=1&description=d&balance=5&tax_exempt=none")]
    [InlineData("customers", "nosuch=1")]
    [InlineData("customers", "balance=x")]
    [InlineData("customers", "tax_exempt=")]
    [InlineData("customers", "tax_exempt=nosuch")]
    [InlineData("customers", "preferred_locales[]=de&preferred_locales[]=en")]
    [InlineData("customers", "preferred_locales[0]=de")]
    [InlineData("customers", "preferred_locales=de")]
    [InlineData("customers", "address[city]=A&address[line1]=B&shipping[name]=N&shipping[address][city]=C")]
    [InlineData("customers", "address=")]
    [InlineData("customers", "shipping[name]=N")]
    [InlineData("customers", "metadata[a]=1&metadata[b]=")]
    [InlineData("customers", "metadata=")]
    [InlineData("customers", "invoice_settings[footer]=F&invoice_settings[custom_fields][0][name]=a"
        + "&invoice_settings[custom_fields][0][value]=b")]
    [InlineData("customers", "business_name=B&individual_name=I&next_invoice_sequence=3&invoice_prefix=ABC")]
    [InlineData("customers", "validate=true")]
    [InlineData("customers", "validate=perhaps")]
    [InlineData("products", "name=A&active=true&images[]=http://x.de/a&shippable=false&unit_label=u&url=http://x.de")]
    [InlineData("products", "description=A")]
    [InlineData("products", "name=A&active=maybe")]
    [InlineData("products", "name=A&package_dimensions[height]=1&package_dimensions[length]=1"
        + "&package_dimensions[weight]=1.5&package_dimensions[width]=1")]
    [InlineData("products", "name=A&package_dimensions[height]=1")]
    [InlineData("products", "name=A&marketing_features[0][name]=x")]
    [InlineData("prices", "currency=usd&unit_amount=5&product_data[name]=P&nickname=n&tax_behavior=inclusive")]
    [InlineData("prices", "unit_amount=5&product_data[name]=P")]
    [InlineData("prices", "currency=usd&unit_amount=5&product_data[name]=P&recurring[interval]=fortnight")]
    [InlineData("prices", "currency=usd&unit_amount=5&product_data[name]=P&transform_quantity[divide_by]=2"
        + "&transform_quantity[round]=up")]
    [InlineData("prices", "currency=usd&unit_amount=1.5&product_data[name]=P")]
    [InlineData("webhook_endpoints", "url=https://x.de&enabled_events[]=*&description=d&api_version=2026-07-29.dahlia")]
    [InlineData("webhook_endpoints", "url=https://x.de")]
    public async Task A_form_is_accepted_exactly_where_the_vendors_checker_accepts_it(string area, string form)
    {
        using var vendor = await VendorChecker.StartAsync();
        await using var simulator = await StripeSimulator.StartAsync();
        using var ours = new StripeCaller(simulator);
        using var theirs = new StripeCaller(vendor.Address, "sk_test_123");
        var mine = await ours.PostAsync("/v1/" + area, form);
        var wanted = await theirs.PostAsync("/v1/" + area, form);
        mine.Status.ShouldBe(wanted.Status, $"{mine.Body} against {wanted.Body}");
    }

    private static List<string> Missing(JsonObject wanted, JsonObject held) =>
        [.. wanted.Select(static field => field.Key).Where(name => !held.ContainsKey(name))];
}

/// <summary>The vendor's checker as a process; found by <c>STRIPE_MOCK</c> or beside the repository.</summary>
internal sealed class VendorChecker : IDisposable
{
    private static readonly SemaphoreSlim One = new(1);
    private static Process? process;
    private static Uri? address;

    private VendorChecker(Uri address) => Address = address;

    public Uri Address { get; }

    /// <summary>The checker, started once for all tests of this process.</summary>
    public static async Task<VendorChecker> StartAsync()
    {
        await One.WaitAsync();
        try
        {
            if (address is null)
            {
                var program = await ProgramAsync();
                var start = new ProcessStartInfo(program, ["-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                };
                process = Process.Start(start)!;
                AppDomain.CurrentDomain.ProcessExit += static (_, _) => process?.Kill();
                address = await AddressAsync(process);
            }

            return new VendorChecker(address);
        }
        finally
        {
            One.Release();
        }
    }

    public void Dispose()
    {
        // The process serves every test and ends with the test host.
    }

    private static async Task<Uri> AddressAsync(Process running)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        const string Mark = "Listening for HTTP at address: ";
        while (await running.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (line.StartsWith(Mark, StringComparison.Ordinal))
            {
                _ = running.StandardOutput.ReadToEndAsync();
                _ = running.StandardError.ReadToEndAsync();
                return new Uri("http://" + line[Mark.Length..]);
            }
        }

        throw new InvalidOperationException("The vendor's checker ended before it listened.");
    }

    private static async Task<string> ProgramAsync()
    {
        var named = Environment.GetEnvironmentVariable("STRIPE_MOCK");
        if (named is not null && File.Exists(named) && !named.EndsWith(".xz", StringComparison.Ordinal))
        {
            return named;
        }

        var packed = named is not null && File.Exists(named) ? named : Beside();
        Skip.If(packed is null, "STRIPE_MOCK names no stripe-mock, and none lies beside the repository.");
        var program = Path.Combine(Path.GetTempPath(), $"duplex-stripe-mock-{Environment.ProcessId}");
        var unpack = Process.Start("sh", ["-c", $"xz -dc '{packed}' > '{program}' && chmod +x '{program}'"]);
        await unpack.WaitForExitAsync();
        Skip.If(unpack.ExitCode != 0, "stripe-mock cannot be unpacked: xz is missing.");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(program);
        return program;
    }

    private static string? Beside()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var found = Path.Combine(at.FullName, "shared", "stripe-mock", "stripe-mock.xz");
            if (File.Exists(found))
            {
                return found;
            }
        }

        return null;
    }
}
