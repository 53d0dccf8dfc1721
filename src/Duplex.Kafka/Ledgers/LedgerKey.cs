using System.Text.Json;

namespace Duplex.Kafka.Ledgers;

/// <summary>The keys of the ledger's records: JSON arrays that begin with what the record is about.</summary>
internal static class LedgerKey
{
    public const string Identity = "identity";
    public const string Owner = "owner";
    public const string Topic = "topic";
    public const string Source = "source";
    public const string Consumer = "consumer";

    public static byte[] Of(params string[] parts) => JsonSerializer.SerializeToUtf8Bytes(parts);

    public static string[] Parse(byte[] key) => JsonSerializer.Deserialize<string[]>(key) ?? [];
}
