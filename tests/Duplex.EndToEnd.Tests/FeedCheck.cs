using System.Collections;
using System.Globalization;
using System.Text.Json;

namespace Duplex.EndToEnd.Tests;

/// <summary>Goes through a feed of posted versions: each is there once, offsets have no gap, and each record's are in order.</summary>
internal sealed class FeedCheck(string customer, int records)
{
    private readonly BitArray _seen = new(records);
    private readonly Dictionary<int, int> _last = [];

    public int Count { get; private set; }

    /// <summary>The next record of the feed.</summary>
    public void Add(JsonElement record)
    {
        record.GetProperty("offset").GetInt64().ShouldBe(++Count, $"{customer}: offsets without a gap");
        var data = record.GetProperty("transformedData");
        var id = data.GetProperty("id").GetInt32();
        var version = int.Parse(data.GetProperty("fullName").GetString()!, CultureInfo.InvariantCulture);
        _seen[version].ShouldBeFalse($"{customer}: version {version} is there twice");
        _seen[version] = true;
        version.ShouldBeGreaterThan(_last.GetValueOrDefault(id, -1), $"{customer}: the order of record {id}");
        _last[id] = version;
    }

    /// <summary>There is no more to come.</summary>
    public void Complete()
    {
        Count.ShouldBe(records, $"{customer}: each once");
        _seen.HasAllSet().ShouldBeTrue($"{customer}: each is there");
    }
}
