using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Delivery;

/// <summary>Makes the idempotency keys of writes: the same write has the same key after a crash.</summary>
internal static class WriteMarks
{
    /// <summary>
    /// The key of a write, derived from what it is: leg, record, log offset of the change, attempt epoch and exact
    /// fields. A different write never shares it.
    /// </summary>
    public static string For(
        string installation, LegId leg, Side target, RecordKey key, long offset, int epoch, WriteOperation operation,
        ReadOnlySpan<byte> fields)
    {
        var text = $"{leg.Sync}:{leg.From.Letter()}\n{target.Letter()}\n{key.Json}\n{offset}\n{epoch}\n{(int)operation}\n";
        var most = Encoding.UTF8.GetMaxByteCount(text.Length) + fields.Length;
        var rented = ArrayPool<byte>.Shared.Rent(most);
        var head = Encoding.UTF8.GetBytes(text, rented);
        fields.CopyTo(rented.AsSpan(head));
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(rented.AsSpan(0, head + fields.Length), digest);
        ArrayPool<byte>.Shared.Return(rented);
        return OriginMarks.Make(installation, Letter(operation) + Convert.ToHexStringLower(digest[..16]));
    }

    /// <summary>Whether the key is that of a create.</summary>
    public static bool IsCreate(string mark) =>
        mark.LastIndexOf(':') is var colon && colon + 1 < mark.Length && mark[colon + 1] == 'c';

    private static string Letter(WriteOperation operation) => operation switch
    {
        WriteOperation.Create => "c",
        WriteOperation.Update => "u",
        _ => "d",
    };
}
