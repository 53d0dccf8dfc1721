using System.Security.Cryptography.X509Certificates;
using Duplex.Engine.Feeds;
using Duplex.Engine.Outbound;
using Duplex.Engine.State;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Push;

/// <summary>What pushers run on. All of it is disposed by whoever made it, after the pushers.</summary>
/// <param name="Feeds">The feeds; a pusher's own has been acquired.</param>
/// <param name="Store">Keeps what is known of endpoints.</param>
/// <param name="Budget">Limits the rate of requests.</param>
/// <param name="Clock">The clock of attempts and time-outs.</param>
/// <param name="Loggers">Makes loggers.</param>
public sealed record PushParts(
    IFeedStore Feeds, IStateStore Store, IRateBudget Budget, TimeProvider Clock, ILoggerFactory Loggers)
{
    /// <summary>Makes the handler of an endpoint's requests; null for a guarded one. The pusher disposes it.</summary>
    public Func<PushModel, HttpMessageHandler>? Handler { get; init; }

    /// <summary>Makes what takes records to a topic; null where there is nothing that does.</summary>
    public Func<PushModel, IPushTransport>? Topics { get; init; }

    /// <summary>The room for requests that all pushers share.</summary>
    internal PushRoom Room { get; init; } = new();

    internal IPushTransport TransportOf(PushModel model) => model.Topic is null
        ? new PushSender(model, HandlerOf(model), Clock)
        : Topics?.Invoke(model) ?? throw new SyncException(ErrorCode.ConfigInvalid,
            $"Nothing here takes the feed {model.Feed} to a topic.", "Push it to a url.");

    private HttpMessageHandler HandlerOf(PushModel model) => Handler?.Invoke(model)
        ?? new AddressGuard(model.Policy, Clock).CreateHandler(sockets =>
        {
            sockets.MaxConnectionsPerServer = model.Parallelism;
            if (model.Authorities is { } pem)
            {
                sockets.SslOptions.CertificateChainPolicy = Trusting(pem);
            }
        });

    private static X509ChainPolicy Trusting(string pem)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(PushModel.Trust(pem));
        return policy;
    }
}
