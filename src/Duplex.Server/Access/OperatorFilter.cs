using Duplex.Engine.Config;
using Duplex.Server.OpenApi;
using Duplex.Server.Problems;

namespace Duplex.Server.Access;

/// <summary>Keeps callers who may only read from endpoints that change something.</summary>
internal static class OperatorFilter
{
    public static RouteHandlerBuilder ForOperators(this RouteHandlerBuilder builder) =>
        builder.Refuses(StatusCodes.Status403Forbidden).AddEndpointFilter(static async (invocation, next) =>
            Caller.Of(invocation.HttpContext).Role >= ApiRole.Operator
                ? await next(invocation)
                : Refusal.Forbidden("auth.forbidden", "This API key may read and not change anything.",
                    "Use a key with the role operator."));
}
