using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Engine.Push;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>Pushes of customers that the API made.</summary>
public sealed class PushRegistry
{
    /// <summary>The longest that a replaced secret may sign too.</summary>
    public static readonly TimeSpan KeepMax = TimeSpan.FromDays(30);

    private readonly RegistryCore _core;

    internal PushRegistry(RegistryCore core) => _core = core;

    /// <summary>Replaces the secret of a customer's webhooks. For a time both sign, so that the receiver can change over.</summary>
    /// <param name="customer">The customer.</param>
    /// <param name="secret">The fresh secret, <c>whsec_…</c>.</param>
    /// <param name="keepFormer">How long the former one signs too; zero for no longer.</param>
    /// <param name="cancellationToken">Stops what has not begun.</param>
    /// <exception cref="RegistryException">There is no such customer or push, it is the file's, or the secret is none.</exception>
    public async Task RotateSecretAsync(
        string customer, string? secret, TimeSpan keepFormer, CancellationToken cancellationToken)
    {
        Check(customer, secret, keepFormer);
        await _core.One.WaitAsync(cancellationToken);
        try
        {
            var now = _core.Require(customer);
            var stored = await _core.StoredAsync(customer, cancellationToken);
            if (stored?.Push is not { SecretVersion: > 0 } push)
            {
                throw new RegistryException(RegistryFault.Conflict, "customer.no_secret",
                    $"The customer {customer} has no webhooks that were set by the API.",
                    stored is null ? "Change it in duplex.yaml." : "Set push with PUT /v1/customers/{customer}.");
            }

            var keeps = keepFormer > TimeSpan.Zero;
            var former = _core.Secrets.Read(customer, push.SecretVersion).Take(keeps ? 1 : 0).Where(s => s != secret);
            var next = push with
            {
                SecretVersion = push.SecretVersion + 1,
                FormerUntilMicros = keeps ? _core.Parts.Clock.NowMicros() + (keepFormer.Ticks / TimeSpan.TicksPerMicrosecond) : 0,
            };
            _core.Secrets.Write(customer, next.SecretVersion, [secret!, .. former]);
            await StoreAsync(_core.Secrets.Apply(now with { Push = null, PushFault = null }, next),
                stored with { Push = next, AtMicros = _core.Parts.Clock.NowMicros() }, push, cancellationToken);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>Takes a customer with its push into use; of both versions of its secret, the one that counts stays.</summary>
    internal async Task StoreAsync(
        CustomerModel next, StoredCustomer stored, StoredPush? before, CancellationToken cancellationToken)
    {
        var mutations = new List<StateMutation>
        {
            new StateMutation.PutValue(StoredNames.Customer(next.Name), StoredNames.Write(stored)),
        };
        if (next.Push is { } push && _core.Customers.Find(next.Name)?.Push?.Target != push.Target)
        {
            // What is known of the place that it was pushed to says nothing about another one.
            mutations.Add(EndpointStore.Fresh(next.Feed.Name, _core.Parts.Clock.NowMicros()));
        }

        var (mine, former) = (stored.Push?.SecretVersion ?? 0, before?.SecretVersion ?? 0);
        try
        {
            if (next.PushFault is { } fault)
            {
                throw new RegistryException(RegistryFault.Conflict, "customer.push_unusable", fault.Message,
                    fault.Suggestion ?? "Give the push with its secret.");
            }

            await _core.Customers.ChangeAsync(next, _ => new CustomerChange(next, mutations), cancellationToken);
        }
        catch when (mine != former)
        {
            _core.Secrets.Forget(next.Name, mine);
            throw;
        }

        if (mine != former)
        {
            _core.Secrets.Forget(next.Name, former);
        }
    }

    private static void Check(string customer, string? secret, TimeSpan keepFormer)
    {
        var findings = new List<Finding>();
        if (!WebhookSecret.TryParse(secret, out _))
        {
            findings.Add(new Finding(FindingSeverity.Error, "customer.bad_secret", "/secret",
                "A webhook secret is 'whsec_' and the base64 of 24 to 64 bytes.", "Make one: echo whsec_$(openssl rand -base64 32)"));
        }

        if (keepFormer < TimeSpan.Zero || keepFormer > KeepMax)
        {
            findings.Add(new Finding(FindingSeverity.Error, "customer.bad_time", "/keep_former",
                $"The former secret signs for at most {KeepMax.TotalDays:0} days more.", "For example 24h; 0s for no longer."));
        }

        if (findings.Count > 0)
        {
            throw new RegistryException(RegistryFault.Invalid, "customer.invalid",
                $"The secret of {customer} cannot be replaced so.", "Correct what the findings name.", findings);
        }
    }
}
