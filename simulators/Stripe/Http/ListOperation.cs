using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Resources;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Answers list requests: newest first, paged by an object's id in either direction.</summary>
internal static class ListOperation
{
    private const int LimitDefault = 10;

    public static ReadOnlyMemory<byte> Objects(Account account, Resource resource, JsonObject given, LaggingRead? lag)
    {
        var table = account.Table(resource);
        var page = Page.Of(given, id => table.Find(id) ?? throw Unknown(resource, id, given));
        var range = Range.Of(given["created"] as JsonObject);
        var filters = Filter.Of(resource, given);
        var found = new List<byte[]>(Math.Min(page.Limit, 100));
        var more = false;
        foreach (var stored in Candidates(table, page, range, filters))
        {
            if (range.Beyond(stored.Created, page.Newer))
            {
                break;
            }

            if (!range.Contains(stored.Created) || !filters.TrueForAll(filter => filter.Accepts(stored)))
            {
                continue;
            }

            if (found.Count == page.Limit)
            {
                more = true;
                break;
            }

            if ((lag is null ? stored.Json : lag.See(stored.Id, stored.Json)) is { } seen)
            {
                found.Add(seen);
            }
        }

        return Envelope(found, page.Newer, more, "/v1/" + resource.Path);
    }

    public static ReadOnlyMemory<byte> Events(Account account, JsonObject given, string apiVersion)
    {
        var page = Page.Of(given, id => account.Events.Find(id)
            ?? throw StripeException.Missing("event", id, CursorParam(given)));
        var range = Range.Of(given["created"] as JsonObject);
        var types = EventTypes.Of(given);
        bool? delivered = given["delivery_success"] is null ? null : Json.Flag(given, "delivery_success");
        var found = new List<byte[]>(page.Limit);
        var more = false;
        foreach (var happened in account.Events.Walk(page.Cursor, page.Newer))
        {
            if (range.Beyond(happened.Created, page.Newer))
            {
                break;
            }

            if (!range.Contains(happened.Created) || !types.Accept(happened.Type)
                || (delivered is { } wanted && wanted != happened.PendingWebhooks <= 0))
            {
                continue;
            }

            if (found.Count == page.Limit)
            {
                more = true;
                break;
            }

            found.Add(EventRendering.Render(happened, apiVersion));
        }

        return Envelope(found, page.Newer, more, "/v1/events");
    }

    /// <summary>
    /// Writes a list object around bytes of its elements; <paramref name="reversed"/> when oldest first.
    /// </summary>
    public static ReadOnlyMemory<byte> Envelope(List<byte[]> elements, bool reversed, bool more, string url)
    {
        if (reversed)
        {
            elements.Reverse();
        }

        var buffer = new ArrayBufferWriter<byte>(elements.Sum(static element => element.Length + 1) + 128);
        buffer.Write("{\"object\":\"list\",\"data\":["u8);
        for (var i = 0; i < elements.Count; i++)
        {
            if (i > 0)
            {
                buffer.Write(","u8);
            }

            buffer.Write(elements[i]);
        }

        Encoding.UTF8.GetBytes($"],\"has_more\":{(more ? "true" : "false")},\"url\":\"{url}\"}}", buffer);
        return buffer.WrittenMemory;
    }

    private static IEnumerable<StoredObject> Candidates(
        ObjectTable table, Page<StoredObject> page, Range range, List<Filter> filters)
    {
        if (filters.Find(static filter => filter is { Index: 0, Between: null }) is not { } indexed)
        {
            return table.Walk(page.Cursor, page.Newer, range.Most);
        }

        var found = indexed.Values.Distinct().SelectMany(table.ByFirstFilter)
            .OrderBy(static entry => entry.Created).ThenBy(static entry => entry.Sequence).ToList();
        if (!page.Newer)
        {
            found.Reverse();
        }

        return page.Cursor is not { } cursor
            ? found
            : found.Where(entry => page.Newer ? Later(entry, cursor) : Later(cursor, entry));
    }

    private static bool Later(StoredObject left, StoredObject right) =>
        left.Created != right.Created ? left.Created > right.Created : left.Sequence > right.Sequence;

    private static StripeException Unknown(Resource resource, string id, JsonObject given) =>
        StripeException.Missing(resource.Label, id, CursorParam(given));

    private static string CursorParam(JsonObject given) =>
        given["starting_after"] is null ? "ending_before" : "starting_after";

    /// <summary>Where a page starts, in which direction it goes, and how long it is.</summary>
    private sealed record Page<T>(T? Cursor, bool Newer, int Limit);

    private static class Page
    {
        public static Page<T> Of<T>(JsonObject given, Func<string, T> find)
            where T : class
        {
            var after = Json.Text(given, "starting_after");
            var before = Json.Text(given, "ending_before");
            if (after is not null && before is not null)
            {
                throw StripeException.Invalid(
                    null, "You can only specify one of these parameters: starting_after, ending_before.");
            }

            var limit = given["limit"] is null ? LimitDefault : (int)Json.Whole(given, "limit");
            var cursor = (after ?? before) is { } id ? find(id) : null;
            return new Page<T>(cursor, before is not null, limit);
        }
    }

    /// <summary>A closed range of unix seconds.</summary>
    private sealed record Range(long Least, long Most)
    {
        public static Range Of(JsonObject? given)
        {
            var (least, most) = (long.MinValue, long.MaxValue);
            foreach (var (bound, value) in given ?? [])
            {
                var at = value!.GetValue<long>();
                least = bound switch { "gte" => Math.Max(least, at), "gt" => Math.Max(least, at + 1), _ => least };
                most = bound switch { "lte" => Math.Min(most, at), "lt" => Math.Min(most, at - 1), _ => most };
            }

            return new Range(least, most);
        }

        public bool Contains(long at) => at >= Least && at <= Most;

        /// <summary>Whether nothing further in this direction can be in the range.</summary>
        public bool Beyond(long at, bool newer) => newer ? at > Most : at < Least;
    }

    /// <summary>A condition on one filter value: one of several texts, or a range.</summary>
    private sealed record Filter(int Index, List<string> Values, Range? Between)
    {
        public static List<Filter> Of(Resource resource, JsonObject given)
        {
            var filters = new List<Filter>();
            for (var i = 0; i < resource.Filters.Count; i++)
            {
                if (Json.At(given, resource.Filters[i].Param) is not { } wanted)
                {
                    continue;
                }

                filters.Add(wanted switch
                {
                    JsonArray list => new Filter(i, [.. list.Select(static item => Json.Leaf(item)!)], null),
                    JsonObject range => new Filter(i, [], Range.Of(range)),
                    _ => new Filter(i, [Json.Leaf(wanted)!], null),
                });
            }

            return filters;
        }

        public bool Accepts(StoredObject stored)
        {
            var value = stored.Filters[Index];
            return value is not null && (Between is null
                ? Values.Contains(value)
                : long.TryParse(value, NumberStyles.AllowLeadingSign, null, out var at) && Between.Contains(at));
        }
    }

    /// <summary>The event types that are asked for, exactly or by <c>customer.*</c>; none means all.</summary>
    private sealed record EventTypes(List<string> Patterns)
    {
        public static EventTypes Of(JsonObject given)
        {
            var patterns = new List<string>();
            if (Json.Text(given, "type") is { } single)
            {
                patterns.Add(single);
            }

            if (given["types"] is JsonArray list)
            {
                patterns.AddRange(list.Select(static item => Json.Leaf(item)!));
            }

            return new EventTypes(patterns);
        }

        public bool Accept(string type) => Patterns.Count == 0 || Patterns.Exists(pattern =>
            pattern == type || (pattern.EndsWith('*') && type.StartsWith(pattern[..^1], StringComparison.Ordinal)));
    }
}
