using Duplex.Engine.Config;

namespace Duplex.Server.Access;

/// <summary>Who makes a request of the API.</summary>
/// <param name="Name">The key's name, or <c>local</c>.</param>
/// <param name="Tenant">The only tenant that the caller sees; null for all.</param>
/// <param name="Role">What the caller may do.</param>
internal sealed record Caller(string Name, string? Tenant, ApiRole Role)
{
    /// <summary>Someone on this machine, where no key is configured.</summary>
    public static Caller Local { get; } = new("local", null, ApiRole.Admin);

    public static Caller Of(HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("The access guard has not run.");

    public bool Sees(string tenant) => Tenant is null || string.Equals(Tenant, tenant, StringComparison.Ordinal);
}
