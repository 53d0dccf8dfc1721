using System.Text;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Conformance;

/// <summary>Short ways to write to a feed and read from it in tests.</summary>
public static class FeedFacts
{
    /// <summary>The feed that tests use unless they need more than one.</summary>
    public const string Feed = "customer-a";

    /// <summary>The source that tests use unless they need more than one.</summary>
    public const string Source = "users/0";

    /// <summary>Takes over writing a feed, which keeps everything unless told otherwise.</summary>
    public static ValueTask<long> AcquireAsync(
        this IFeedStore store, string feed = Feed, TimeSpan? age = null, long bytes = 1L << 40) =>
        store.AcquireAsync(new FeedSpec(feed, age ?? TimeSpan.FromDays(3650), bytes), CancellationToken.None);

    /// <summary>An item whose data is a JSON string.</summary>
    public static FeedItem Item(long sourceOffset, string text, string table = "users") => new(
        sourceOffset, table, Encoding.UTF8.GetBytes($"[\"{sourceOffset}\"]"), ChangeOperation.Update, null, null, 0,
        Encoding.UTF8.GetBytes($"\"{text}\""));

    /// <summary>Items with source offsets from <paramref name="first"/> on, each with its source offset as its text.</summary>
    public static FeedItem[] Items(long first, int count, string table = "users") =>
        [.. Enumerable.Range(0, count).Select(n => Item(first + n, $"{first + n}", table))];

    /// <summary>Appends items.</summary>
    public static ValueTask<FeedAppend> AppendAsync(
        this IFeedStore store, long epoch, FeedItem[] items, string source = Source, string feed = Feed) =>
        store.AppendAsync(feed, epoch, source, items, CancellationToken.None);

    /// <summary>One page of records.</summary>
    public static ValueTask<IReadOnlyList<FeedRecord>> ReadAsync(
        this IFeedStore store, long after = 0, int limit = 1000, string? table = null, string feed = Feed) =>
        store.ReadAsync(feed, after, limit, table, CancellationToken.None);

    /// <summary>Every record after an offset, read in pages.</summary>
    public static async Task<List<FeedRecord>> ReadAllAsync(
        this IFeedStore store, long after = 0, int limit = 100, string? table = null, string feed = Feed)
    {
        var records = new List<FeedRecord>();
        while (true)
        {
            var page = await store.ReadAsync(after, limit, table, feed);
            if (page.Count == 0)
            {
                return records;
            }

            records.AddRange(page);
            after = page[^1].Offset;
        }
    }

    /// <summary>The text of each record.</summary>
    public static IEnumerable<string> Texts(this IEnumerable<FeedRecord> records) =>
        records.Select(static record => Encoding.UTF8.GetString(record.Data.Span).Trim('"'));

    /// <summary>The bounds of a feed.</summary>
    public static async Task<FeedState> StateAsync(this IFeedStore store, string feed = Feed) =>
        await store.FindAsync(feed, CancellationToken.None)
        ?? throw new InvalidDataException($"Feed {feed} does not exist.");
}
