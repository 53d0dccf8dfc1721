namespace Duplex.Connectors.Stripe.Requests;

/// <summary>One request to Stripe.</summary>
/// <param name="Method">GET, POST or DELETE; Stripe has no other.</param>
/// <param name="Operation">The method and the endpoint's template: the unit of rate limits.</param>
/// <param name="Path">The path with its query.</param>
internal sealed record StripeRequest(HttpMethod Method, string Operation, string Path)
{
    /// <summary>The body of a POST.</summary>
    public FormBody? Form { get; init; }

    /// <summary>The key under which Stripe does it once; null for reads.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>
    /// The object's name (<c>customer</c>) when the path names one object; its absence is then told from the absence of
    /// an object that the body refers to.
    /// </summary>
    public string? Target { get; init; }

    public static StripeRequest Get(string operation, string path, string? target = null) =>
        new(HttpMethod.Get, $"GET {operation}", path) { Target = target };

    public static StripeRequest Post(string operation, string path, FormBody form, string idempotencyKey) =>
        new(HttpMethod.Post, $"POST {operation}", path) { Form = form, IdempotencyKey = idempotencyKey };

    public static StripeRequest Delete(string operation, string path, string idempotencyKey) =>
        new(HttpMethod.Delete, $"DELETE {operation}", path) { IdempotencyKey = idempotencyKey };
}
