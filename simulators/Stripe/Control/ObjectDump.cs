using System.Buffers;
using System.Text;
using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Control;

/// <summary>Writes every live object at once, for full comparison: one object a line, oldest first.</summary>
internal static class ObjectDump
{
    private const int ChunkBytes = 1 << 16;

    /// <summary>Writes the objects of one type, or of all types, as newline-delimited JSON.</summary>
    public static async Task WriteAsync(HttpContext context, StripeSimulator simulator, string? type)
    {
        var resources = type is null
            ? ResourceCatalog.All
            : [ResourceCatalog.ByPath(type) ?? throw new FormatException($"There are no objects called {type}.")];
        context.Response.ContentType = "application/x-ndjson";
        var writer = context.Response.BodyWriter;
        var unflushed = 0;
        foreach (var resource in resources)
        {
            foreach (var json in simulator.Objects(resource))
            {
                writer.Write(json);
                writer.Write("\n"u8);
                unflushed += json.Length + 1;
                if (unflushed > ChunkBytes)
                {
                    await writer.FlushAsync();
                    unflushed = 0;
                }
            }
        }

        await writer.FlushAsync();
    }
}
