using Duplex.Client;

namespace Duplex.Cli.Demo;

/// <summary>Two Stripe accounts of one company, for machines without PostgreSQL.</summary>
internal sealed class RestStage : DemoStage
{
    private const string SecretA = "whsec_duplex_demo_europe";
    private const string SecretB = "whsec_duplex_demo_america";
    private readonly StripeAccount _europe;
    private readonly StripeAccount _america;

    private RestStage(StripeAccount europe, StripeAccount america)
    {
        _europe = europe;
        _america = america;
    }

    public override IReadOnlyDictionary<string, string> Values => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["stripe_a"] = _europe.Address.ToString().TrimEnd('/'),
        ["stripe"] = _america.Address.ToString().TrimEnd('/'),
        ["webhook_secret_a"] = SecretA,
        ["webhook_secret"] = SecretB,
    };

    public override string Setting =>
        $"""

        Europe's Stripe account (simulated, {_europe.Address}) has {_europe.Count} customers, America's ({_america.Address}) {_america.Count}.
        """;

    public static async Task<RestStage> StartAsync(int dataPort, CancellationToken cancellationToken)
    {
        var europe = await StripeAccount.StartAsync(LoopbackPort.Take(12111), "sk_test_europe", cancellationToken)
            .ConfigureAwait(false);
        try
        {
            var america = await StripeAccount.StartAsync(LoopbackPort.Take(12112), "sk_test_america", cancellationToken)
                .ConfigureAwait(false);
            foreach (var c in Seeds.Customers)
            {
                europe.Create(c.ForStripe());
            }

            foreach (var c in Seeds.Known)
            {
                america.Create(c.ForStripe());
            }

            europe.SendWebhooks(new Uri($"http://127.0.0.1:{dataPort}/webhooks/acme/europe"), SecretA);
            america.SendWebhooks(new Uri($"http://127.0.0.1:{dataPort}/webhooks/acme/america"), SecretB);
            return new RestStage(europe, america);
        }
        catch
        {
            await europe.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public override async Task PlayAsync(Narrator narrator, DuplexClient client, CancellationToken cancellationToken)
    {
        await Narrator.UntilAsync(
            "the first sync: every customer is in both accounts, and data moves",
            async () => _america.Count >= Seeds.Customers.Count
                && (await client.StatusAsync(cancellationToken).ConfigureAwait(false)).Ready,
            cancellationToken).ConfigureAwait(false);
        narrator.Say(
            $"First sync: {Seeds.Known.Count} linked by e-mail, {_america.Count - Seeds.Known.Count} created in America.\n");
        await MoveAsync(narrator, "Europe → America", _europe, _america, cancellationToken).ConfigureAwait(false);
        await MoveAsync(narrator, "America → Europe", _america, _europe, cancellationToken).ConfigureAwait(false);
        narrator.Say("");
    }

    public override string NextSteps(string duplex, Uri control)
    {
        var ada = _europe.Find("ada.lovelace@example.org") is { } found ? StripeAccount.Text(found, "id") : "cus_…";
        var europe = _europe.Address.ToString().TrimEnd('/');
        var america = _america.Address.ToString().TrimEnd('/');
        return $"""

            Try, in another terminal:
              curl -s {europe}/v1/customers/{ada} -u {_europe.ApiKey}: -d name='Ada King'
              curl -s -G {america}/v1/customers -u {_america.ApiKey}: -d email=ada.lovelace@example.org
              {duplex} trace customers {ada}      # both sides of that customer, and all that happened to it
              {duplex} status
              curl -s {control}v1/status          # the API is documented at {control}docs
            """;
    }

    public override async ValueTask DisposeAsync()
    {
        await _europe.DisposeAsync().ConfigureAwait(false);
        await _america.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task MoveAsync(
        Narrator narrator, string direction, StripeAccount from, StripeAccount to, CancellationToken cancellationToken)
    {
        var email = $"grace.{direction.Split(' ')[0].ToLowerInvariant()}@example.org";
        await narrator.MoveAsync(
            direction, $"create {email}",
            () => Task.FromResult(from.Create(("name", "Grace Hopper"), ("email", email))),
            () => Task.FromResult(to.Find(email) is not null), cancellationToken).ConfigureAwait(false);
        await narrator.MoveAsync(
            direction, $"rename {email}",
            () =>
            {
                from.Update(StripeAccount.Text(from.Find(email)!.Value, "id")!, ("name", "Grace B. Hopper"));
                return Task.CompletedTask;
            },
            () => Task.FromResult(to.Find(email) is { } found
                && StripeAccount.Text(found, "name") == "Grace B. Hopper"),
            cancellationToken).ConfigureAwait(false);
    }
}
