using System.Buffers;
using System.Text;
using Duplex.Engine;
using Duplex.Engine.Config;
using Duplex.Engine.Registry;
using Duplex.Server.Access;
using Duplex.Server.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace Duplex.Server.Api;

/// <summary>Documents that are posted as they are, YAML or JSON.</summary>
internal static class PostedDocument
{
    public const string Json = "application/json";
    public const string Yaml = "application/yaml";
    private const int BytesMax = 1 << 20;

    /// <summary>The body as text.</summary>
    /// <exception cref="RegistryException">It is no UTF-8, too large, or empty.</exception>
    public static async Task<string> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = BytesMax;
        }

        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            try
            {
                return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(read.Buffer.ToArray()) is { Length: > 0 } text
                    ? text
                    : throw new RegistryException(RegistryFault.Invalid, "request.unreadable", "The body is empty.",
                        "Send the document as the body.");
            }
            catch (DecoderFallbackException)
            {
                throw new RegistryException(RegistryFault.Invalid, "request.unreadable", "The body is not UTF-8.",
                    "Send the document as UTF-8.");
            }
            finally
            {
                reader.AdvanceTo(read.Buffer.End);
            }
        }
    }

    /// <summary>The customer of a name that the caller may see.</summary>
    /// <exception cref="RegistryException">There is none.</exception>
    public static CustomerModel Require(SyncEngine engine, HttpContext context, string customer) =>
        engine.Customers.Find(customer) is { } model && Caller.Of(context).Sees(model.Tenant)
            ? model
            : throw new RegistryException(RegistryFault.Unknown, "request.unknown_customer",
                $"There is no customer {customer}.",
                "GET /v1/customers lists them; PUT /v1/customers/{customer} makes one.");

    /// <summary>A number that a body must have.</summary>
    /// <exception cref="RegistryException">It is missing.</exception>
    public static int RequireVersion(int? version) => version ?? throw new RegistryException(
        RegistryFault.Invalid, "request.bad_value", "version is missing.", "Give the number of a version; 0 is the file's.");

    /// <summary>Why a caller of one tenant may not change what all tenants share; null if it may.</summary>
    public static Refusal? Shared(HttpContext context) => Caller.Of(context).Tenant is null
        ? null
        : Refusal.Forbidden("auth.forbidden", "Internal schemas are those of every tenant; this key belongs to one.",
            "Use a key without a tenant.");
}
