using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Duplex.DynamoDb.Requests;

namespace Duplex.DynamoDb.Records;

/// <summary>
/// Sort keys: <c>r#offset#stamp</c> for a record, <c>r#offset#stamp#part</c> for what does not fit into its first item;
/// offsets have nineteen digits, so that text order is number order.
/// </summary>
internal static class RecordKeys
{
    private const int OffsetAt = 2;
    private const int OffsetDigits = 19;
    private const int StampAt = OffsetAt + OffsetDigits + 1;

    /// <summary>Sorts behind every key that continues what stands before it.</summary>
    public const string End = "~";

    public static string Of(long offset) => string.Create(CultureInfo.InvariantCulture, $"r#{offset:D19}");

    public static string Of(long offset, string stamp, int part = 0) => part == 0
        ? $"{Of(offset)}#{stamp}"
        : string.Create(CultureInfo.InvariantCulture, $"{Of(offset)}#{stamp}#{part:D3}");

    public static string Acknowledgement(long offset) => string.Create(CultureInfo.InvariantCulture, $"a#{offset:D19}");

    public static string Consumer(string name) => $"c#{name}";

    /// <summary>Takes a record's key apart.</summary>
    public static (long Offset, string Stamp, int Part) Read(string key)
    {
        var offset = Number(key.AsSpan(OffsetAt, OffsetDigits));
        var end = key.IndexOf('#', StampAt);
        return end < 0
            ? (offset, key[StampAt..], 0)
            : (offset, key[StampAt..end], (int)Number(key.AsSpan(end + 1)));
    }

    public static long ReadAcknowledgement(string key) => Number(key.AsSpan(OffsetAt));

    public static Dictionary<string, AttributeValue> Item(string feed, string key) => new()
    {
        [FeedTables.Feed] = new AttributeValue { S = feed },
        [FeedTables.Sort] = new AttributeValue { S = key },
    };

    private static long Number(ReadOnlySpan<char> digits) => long.Parse(digits, CultureInfo.InvariantCulture);
}
