using System.Globalization;
using Duplex.Engine.Config;
using Duplex.Engine.Push;
using Duplex.Engine.Secrets;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>
/// Keeps the secrets of pushes that were set at run time. Each version has a name of its own in the secret store, and what is
/// stored of the customer says which one counts: both change at once, wherever the process ends in between.
/// </summary>
internal sealed class PushSecrets(EngineParts parts)
{
    private ISecretStore Store => parts.Secrets ?? throw new RegistryException(RegistryFault.Conflict,
        "customer.no_secrets", "This server keeps no secrets.", "Set the push in duplex.yaml.");

    /// <summary>The secrets of a version, the fresh one first; empty where there are none.</summary>
    public IReadOnlyList<string> Read(string customer, int version) =>
        version == 0 ? [] : Store.Get(NameOf(customer, version))?.Split('\n') ?? [];

    /// <summary>Durable when it returns.</summary>
    public void Write(string customer, int version, IReadOnlyList<string> secrets) =>
        Store.Set(NameOf(customer, version), string.Join('\n', secrets));

    /// <summary>Forgets a version that counts no more.</summary>
    public void Forget(string customer, int version)
    {
        try
        {
            if (version > 0)
            {
                Store.Delete(NameOf(customer, version));
            }
        }
        catch (SyncException)
        {
            // What stays behind is sealed, and no customer names it.
        }
    }

    /// <summary>Stores the secrets of a request and says what is to be stored of its push; the secret that is kept stays.</summary>
    public StoredPush? Place(string customer, CustomerRequest request, StoredPush? before)
    {
        if (request.Push is not { } push)
        {
            return null;
        }

        if (push.Topic is not null)
        {
            return new StoredPush(request.PushDocument!, 0);
        }

        if (push.Secrets.Count == 0)
        {
            return before! with { Document = request.PushDocument! };
        }

        var version = (before?.SecretVersion ?? 0) + 1;
        Write(customer, version, push.Secrets);
        return new StoredPush(request.PushDocument!, version);
    }

    /// <summary>The customer with the push that is stored of it, or with the reason why it cannot be pushed.</summary>
    public CustomerModel Apply(CustomerModel customer, StoredPush? stored)
    {
        if (stored is null)
        {
            return customer;
        }

        try
        {
            var (push, findings) = CustomerRequest.ReadPush(stored.Document, customer.Name, parts.Model.Log.Kafka);
            var model = push is null ? null : push with
            {
                Secrets = Read(customer.Name, stored.SecretVersion),
                FormerSecretUntil = stored.FormerUntilMicros == 0 ? null
                    : DateTimeOffset.UnixEpoch.AddMicroseconds(stored.FormerUntilMicros),
            };
            var fault = model is not null ? model.Faults() is [var first, ..] ? first : null
                : new SyncError(ErrorCode.ConfigInvalid, findings[0].Message, findings[0].Path, findings[0].Suggestion);
            return fault is null ? customer with { Push = model } : customer with { PushFault = fault };
        }
        catch (SyncException e)
        {
            return customer with { PushFault = e.Error };
        }
    }

    private static string NameOf(string customer, int version) =>
        string.Create(CultureInfo.InvariantCulture, $"duplex.push.{customer}.{version}");
}
