using System.Security.Cryptography;
using System.Text;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>A request whose operation is known and whose parameters are decoded.</summary>
internal sealed class ApiRequest
{
    public required string RequestId { get; init; }

    public required Operation Operation { get; init; }

    /// <summary>The id in the path, or an empty text.</summary>
    public required string ObjectId { get; init; }

    public required string Path { get; init; }

    public required FormNode Form { get; init; }

    /// <summary>Null unless the request is a POST that carries one.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What the request sees when it reads objects; null for the account as it is.</summary>
    public LaggingRead? Lag { get; set; }

    public EventCause Cause => new(RequestId, IdempotencyKey);

    /// <summary>A digest of the parameters that does not depend on their order.</summary>
    public UInt128 Fingerprint()
    {
        var text = new StringBuilder(256);
        Describe(Form, text);
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()), digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    private static void Describe(FormNode node, StringBuilder text)
    {
        if (node.Text is not null)
        {
            text.Append(node.Text.Length).Append(':').Append(node.Text);
        }
        else if (node.Fields is not null)
        {
            text.Append('{');
            foreach (var (name, child) in node.Fields.OrderBy(static field => field.Key, StringComparer.Ordinal))
            {
                text.Append(name.Length).Append(':').Append(name).Append('=');
                Describe(child, text);
            }

            text.Append('}');
        }
        else
        {
            text.Append('[');
            foreach (var child in node.Items!)
            {
                Describe(child, text);
            }

            text.Append(']');
        }
    }
}
