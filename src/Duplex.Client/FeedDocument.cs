using System.Text.Json;
using System.Text.Json.Serialization;

namespace Duplex.Client;

/// <summary>A feed.</summary>
/// <param name="Customer">The customer whose feed it is.</param>
/// <param name="FirstOffset">The first offset that can be read; one above <paramref name="LastOffset"/> when it is
/// empty.</param>
/// <param name="LastOffset">The offset of the last record; 0 before the first.</param>
/// <param name="Bytes">Bytes of keys and data.</param>
/// <param name="OldestAt">When the oldest record was stored; null when it is empty.</param>
public sealed record FeedDocument(string Customer, long FirstOffset, long LastOffset, long Bytes, string? OldestAt);

/// <summary>A page of a feed.</summary>
/// <param name="Customer">The customer whose feed it is.</param>
/// <param name="Records">The records, in the order of their offsets.</param>
/// <param name="NextOffset">What to give as <c>offset</c> to read on.</param>
/// <param name="LastOffset">The offset of the feed's last record.</param>
/// <param name="FirstOffset">The first offset that can be read.</param>
public sealed record FeedPage(
    string Customer, IReadOnlyList<FeedRecordDocument> Records, long NextOffset, long LastOffset, long FirstOffset);

/// <summary>A record of a feed.</summary>
public sealed record FeedRecordDocument
{
    /// <summary>Its place in the feed, from 1 and without gaps.</summary>
    public required long Offset { get; init; }

    /// <summary>Its own id, the same each time it is read or pushed.</summary>
    [JsonPropertyName("messageId")]
    public required Guid MessageId { get; init; }

    /// <summary>The customer.</summary>
    [JsonPropertyName("customerId")]
    public required string CustomerId { get; init; }

    /// <summary>The table.</summary>
    public required string Table { get; init; }

    /// <summary><c>INSERT</c>, <c>UPDATE</c>, <c>DELETE</c> or <c>TRUNCATE</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>The record's key.</summary>
    public JsonElement? Key { get; init; }

    /// <summary>The record's version as its source tells it.</summary>
    public string? Version { get; init; }

    /// <summary>When it happened at its source, RFC 3339 in UTC.</summary>
    public string? Timestamp { get; init; }

    /// <summary>The id of the event that it was made of.</summary>
    [JsonPropertyName("eventId")]
    public string? EventId { get; init; }

    /// <summary>The record in the customer's own shape.</summary>
    [JsonPropertyName("transformedData")]
    public JsonElement? TransformedData { get; init; }

    /// <summary><c>pending</c>, <c>delivered</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>How often it was pushed.</summary>
    public required int Attempts { get; init; }

    /// <summary>When it was stored, RFC 3339 in UTC.</summary>
    [JsonPropertyName("createdAt")]
    public required string CreatedAt { get; init; }

    /// <summary>When its delivery was last recorded.</summary>
    [JsonPropertyName("updatedAt")]
    public required string UpdatedAt { get; init; }

    /// <summary>Why the last push failed.</summary>
    [JsonPropertyName("errorMessage")]
    public string? ErrorMessage { get; init; }
}

/// <summary>A consumer's position.</summary>
/// <param name="Customer">The customer whose feed it reads.</param>
/// <param name="Consumer">Its name.</param>
/// <param name="Offset">The last record that it has dealt with.</param>
/// <param name="Behind">Records that it has not dealt with yet.</param>
public sealed record FeedConsumerDocument(string Customer, string Consumer, long Offset, long Behind);

/// <summary>What a consumer has dealt with.</summary>
/// <param name="Offset">The offset of the last record.</param>
/// <param name="Rewind">Whether it may go back.</param>
public sealed record FeedCommitRequest(long? Offset, bool Rewind = false);
