using Duplex.Engine.Config;
using Duplex.Server.Problems;
using Microsoft.Net.Http.Headers;

namespace Duplex.Server.Access;

/// <summary>
/// Lets callers of the control plane in. With keys: a bearer token. Without: only requests that name this machine as
/// their host and come from no foreign web page, so that a browser cannot be turned against a server on loopback.
/// </summary>
internal sealed class AccessGuard(RequestDelegate next, ServerModel server)
{
    private static readonly string[] Open = ["/healthz", "/readyz", "/openapi", "/docs"];

    public Task InvokeAsync(HttpContext context)
    {
        if (server.ApiKeys.Count > 0 && Open.Any(path => context.Request.Path.StartsWithSegments(path, StringComparison.Ordinal)))
        {
            return next(context);
        }

        return Admit(context) is { } refusal ? refusal.ExecuteAsync(context) : next(context);
    }

    /// <summary>Why a request is not let in; null after its caller is noted.</summary>
    public Refusal? Admit(HttpContext context)
    {
        if (server.ApiKeys.Count == 0)
        {
            context.Features.Set(Caller.Local);
            return RefuseForeign(context.Request);
        }

        return AdmitKey(context);
    }

    private static Refusal? RefuseForeign(HttpRequest request)
    {
        var host = request.Host.Host;
        if (host is not ("localhost" or "127.0.0.1" or "[::1]" or "::1"))
        {
            return Refusal.Forbidden("auth.host_refused",
                $"Without API keys only requests to this machine's own name are served, not to {host}.",
                "Use http://127.0.0.1, or configure server.api_keys.");
        }

        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            || origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase)
            ? null
            : Refusal.Forbidden("auth.origin_refused", $"Requests from web pages of {origin} are not served.",
                "Call the API from a program, or configure server.api_keys.");
    }

    private Refusal? AdmitKey(HttpContext context)
    {
        const string scheme = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
            return Refusal.Unauthorized("auth.missing", "This request carries no API key.",
                "Send the header Authorization: Bearer <key>; the CLI reads DUPLEX_API_KEY.");
        }

        if (Find(header[scheme.Length..].Trim()) is not { } key)
        {
            context.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer error=\"invalid_token\"";
            return Refusal.Unauthorized("auth.refused", "The API key of this request is not known.",
                "Check the key against the server's configuration.");
        }

        context.Features.Set(new Caller(key.Name, key.Tenant, key.Role));
        return key.Tenant is not null && context.Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal)
            ? Refusal.Forbidden("auth.forbidden", "Metrics cover every tenant; this key belongs to one.",
                "Use a key without a tenant.")
            : null;
    }

    /// <summary>
    /// Whether somebody may post changes: with keys, an operator's; without, whoever reaches the listener, but no web page
    /// of another origin. The caller, or why not.
    /// </summary>
    public static Refusal? AdmitPoster(HttpContext context, ServerModel server, out Caller caller)
    {
        caller = Caller.Local;
        if (server.ApiKeys.Count == 0)
        {
            return context.Request.Headers.Origin.Count == 0 ? null : RefuseForeign(context.Request);
        }

        var guard = new AccessGuard(static _ => Task.CompletedTask, server);
        if (guard.Admit(context) is { } refusal)
        {
            return refusal;
        }

        caller = Caller.Of(context);
        return caller.Role >= ApiRole.Operator
            ? null
            : Refusal.Forbidden("auth.forbidden", "This API key may read and not change anything.",
                "Use a key with the role operator.");
    }

    /// <summary>Compares with every key, so that the time tells nothing about which one fits.</summary>
    private ApiKeyModel? Find(string token)
    {
        ApiKeyModel? found = null;
        foreach (var key in server.ApiKeys)
        {
            if (key.Matches(token))
            {
                found = key;
            }
        }

        return found;
    }
}
