using System.Globalization;
using Duplex.Client;

namespace Duplex.Cli.Demo;

/// <summary>A shop's PostgreSQL and its billing at Stripe.</summary>
internal sealed class ShopStage : DemoStage
{
    private const string Secret = "whsec_duplex_demo_billing";
    private const string Out = "PostgreSQL → Stripe";
    private const string In = "Stripe → PostgreSQL";
    private readonly ShopDatabase _shop;
    private readonly StripeAccount _billing;

    private ShopStage(ShopDatabase shop, StripeAccount billing)
    {
        _shop = shop;
        _billing = billing;
    }

    public override IReadOnlyDictionary<string, string> Values => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["postgres_port"] = _shop.Port.ToString(CultureInfo.InvariantCulture),
        ["stripe"] = _billing.Address.ToString().TrimEnd('/'),
        ["webhook_secret"] = Secret,
    };

    public override string Setting =>
        $"""

        PostgreSQL (private, port {_shop.Port}) has {Seeds.Customers.Count} customers. Stripe (simulated, {_billing.Address}) knows {Seeds.Known.Count} of them.
        """;

    public static async Task<ShopStage> StartAsync(int dataPort, CancellationToken cancellationToken)
    {
        var shop = await ShopDatabase.StartAsync(LoopbackPort.Take(54329), cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (var c in Seeds.Customers)
            {
                await shop.RunAsync(
                    "insert into customers (name, email, plan, balance_eur, city) values ($1, $2, $3, $4, $5)",
                    cancellationToken, c.Name, c.Email, c.Plan, c.BalanceEur, c.City).ConfigureAwait(false);
            }

            var billing = await StripeAccount.StartAsync(LoopbackPort.Take(12111), "sk_test_demo", cancellationToken)
                .ConfigureAwait(false);
            foreach (var c in Seeds.Known)
            {
                billing.Create(c.ForStripe());
            }

            billing.SendWebhooks(new Uri($"http://127.0.0.1:{dataPort}/webhooks/acme/billing"), Secret);
            return new ShopStage(shop, billing);
        }
        catch
        {
            await shop.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public override async Task PlayAsync(Narrator narrator, DuplexClient client, CancellationToken cancellationToken)
    {
        var took = await Narrator.UntilAsync(
            "the first sync: every customer is at Stripe, and data moves",
            async () => _billing.Count >= Seeds.Customers.Count
                && (await client.StatusAsync(cancellationToken).ConfigureAwait(false)).Ready,
            cancellationToken).ConfigureAwait(false);
        narrator.Say(
            $"First sync: {Seeds.Known.Count} linked by e-mail, {_billing.Count - Seeds.Known.Count} created at Stripe, "
            + $"{took.ToString("N0", CultureInfo.InvariantCulture)} ms. Stripe has {_billing.Count} customers.\n");
        await OutwardAsync(narrator, cancellationToken).ConfigureAwait(false);
        await InwardAsync(narrator, cancellationToken).ConfigureAwait(false);
        await BothAsync(narrator, cancellationToken).ConfigureAwait(false);
        narrator.Say("");
    }

    public override string NextSteps(string duplex, Uri control)
    {
        var psql = _shop.Psql.Replace("psql ", NextStep.Program("psql") + " ", StringComparison.Ordinal);
        var ada = _billing.Find("ada.lovelace@example.org") is { } found ? StripeAccount.Text(found, "id") : "cus_…";
        var stripe = _billing.Address.ToString().TrimEnd('/');
        return $"""

            Try, in another terminal:
              {psql} -c "update customers set city = 'Oxford' where id = 1"
              curl -s {stripe}/v1/customers/{ada} -u {_billing.ApiKey}:
              curl -s {stripe}/v1/customers/{ada} -u {_billing.ApiKey}: -d name='Ada King'
              {psql} -c "select id, name, email, plan, balance_eur, city from customers where id = 1"
              {duplex} trace customers 1          # both sides of that customer, and all that happened to it
              {duplex} status
              curl -s {stripe}/v1/customers -u {_billing.ApiKey}: -d name='No Mail'      # PostgreSQL demands an e-mail address:
              {duplex} dlq list                   # it waits here, with the cause; everything else moves on
              {duplex} plan                       # what a sync would still do; writes nothing
              curl -s {control}v1/status          # the API is documented at {control}docs
            """;
    }

    public override async ValueTask DisposeAsync()
    {
        await _billing.DisposeAsync().ConfigureAwait(false);
        await _shop.DisposeAsync().ConfigureAwait(false);
    }

    private async Task OutwardAsync(Narrator narrator, CancellationToken cancellationToken)
    {
        await narrator.MoveAsync(
            Out, "insert Grace Hopper",
            () => _shop.RunAsync(
                "insert into customers (name, email, plan, balance_eur, city) values ($1, $2, 'pro', 99.90, 'Arlington')",
                cancellationToken, "Grace Hopper", "grace.hopper@example.org"),
            () => Stripe("grace.hopper@example.org", "9990", "balance"), cancellationToken).ConfigureAwait(false);
        await narrator.MoveAsync(
            Out, "update her plan and city",
            () => _shop.RunAsync(
                "update customers set plan = 'free', city = 'New York' where email = $1", cancellationToken,
                "grace.hopper@example.org"),
            () => Stripe("grace.hopper@example.org", "F", "metadata", "plan"), cancellationToken).ConfigureAwait(false);
        await narrator.MoveAsync(
            Out, "delete Ursula Martin",
            () => _shop.RunAsync("delete from customers where email = $1", cancellationToken,
                "ursula.martin@example.org"),
            () => Task.FromResult(_billing.Find("ursula.martin@example.org") is null), cancellationToken)
                .ConfigureAwait(false);
    }

    private async Task InwardAsync(Narrator narrator, CancellationToken cancellationToken)
    {
        await narrator.MoveAsync(
            In, "create Donald Knuth in the dashboard",
            () =>
            {
                _billing.Create(("name", "Donald Knuth"), ("email", "donald.knuth@example.org"),
                    ("metadata[plan]", "P"));
                return Task.CompletedTask;
            },
            () => Shop("select plan from customers where email = $1", "donald.knuth@example.org", "pro",
                cancellationToken),
            cancellationToken).ConfigureAwait(false);
        await narrator.MoveAsync(
            In, "rename Alan Turing in the dashboard",
            () => OnDashboard("alan.turing@example.org", ("name", "Alan M. Turing")),
            () => Shop("select name from customers where email = $1", "alan.turing@example.org", "Alan M. Turing",
                cancellationToken),
            cancellationToken).ConfigureAwait(false);
    }

    private Task BothAsync(Narrator narrator, CancellationToken cancellationToken) => narrator.MoveAsync(
        "both at once", "Emmy Noether: city in PostgreSQL, balance at Stripe; both survive",
        async () =>
        {
            var edit = _shop.RunAsync(
                "update customers set city = 'Göttingen' where email = $1", cancellationToken,
                    "emmy.noether@example.org");
            await OnDashboard("emmy.noether@example.org", ("balance", "4200")).ConfigureAwait(false);
            await edit.ConfigureAwait(false);
        },
        async () => await Stripe("emmy.noether@example.org", "Göttingen", "address", "city").ConfigureAwait(false)
            && await Stripe("emmy.noether@example.org", "4200", "balance").ConfigureAwait(false)
            && await Shop(
                "select balance_eur::text || ' ' || city from customers where email = $1", "emmy.noether@example.org",
                "42.00 Göttingen", cancellationToken).ConfigureAwait(false),
        cancellationToken);

    private Task OnDashboard(string email, params (string Name, string Value)[] fields)
    {
        _billing.Update(StripeAccount.Text(_billing.Find(email)!.Value, "id")!, fields);
        return Task.CompletedTask;
    }

    private Task<bool> Stripe(string email, string value, params string[] path) =>
        Task.FromResult(_billing.Find(email) is { } customer && StripeAccount.Text(customer, path) == value);

    private async Task<bool> Shop(string query, string email, string value, CancellationToken cancellationToken) =>
        await _shop.RunAsync(query, cancellationToken, email).ConfigureAwait(false) as string == value;
}
