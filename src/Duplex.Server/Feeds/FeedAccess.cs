using Duplex.Engine.Config;
using Duplex.Server.Access;

namespace Duplex.Server.Feeds;

/// <summary>
/// Lets callers of feeds in on the data plane, where webhooks and health need no key: as the control plane does. A key of
/// a tenant sees the feed of that name.
/// </summary>
internal sealed class FeedAccess(ServerModel server) : IEndpointFilter
{
    private readonly AccessGuard _guard = new(static _ => Task.CompletedTask, server);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        _guard.Admit(context.HttpContext) is { } refusal ? refusal : await next(context).ConfigureAwait(false);
}
