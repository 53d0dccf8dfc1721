namespace Duplex.Simulators.Stripe.Http;

/// <summary>An answer: status and JSON body. Bodies are shared with the store and never changed.</summary>
internal sealed record ApiResponse(int Status, ReadOnlyMemory<byte> Body)
{
    public static ApiResponse Ok(ReadOnlyMemory<byte> body) => new(200, body);
}
