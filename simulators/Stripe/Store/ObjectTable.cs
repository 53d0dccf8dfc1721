using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Store;

/// <summary>
/// All objects of one type, by id and in list order. Not safe for parallel use: the account's gate guards it.
/// </summary>
internal sealed class ObjectTable(Resource resource)
{
    private static readonly Comparer<StoredObject> Order = Comparer<StoredObject>.Create(static (left, right) =>
    {
        var byTime = left.Created.CompareTo(right.Created);
        return byTime != 0 ? byTime : left.Sequence.CompareTo(right.Sequence);
    });

    private readonly Dictionary<string, StoredObject> byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<StoredObject>> byFirstFilter = new(StringComparer.Ordinal);
    private readonly List<StoredObject> ordered = [];
    private bool sorted = true;
    private int deleted;

    public Resource Resource { get; } = resource;

    /// <summary>Number of objects that are not deleted.</summary>
    public int Count => ordered.Count - deleted;

    public StoredObject? Find(string id) => byId.GetValueOrDefault(id);

    public StoredObject Insert(string id, long created, long sequence)
    {
        var stored = new StoredObject(id, created, sequence);
        byId.Add(id, stored);
        sorted = sorted && (ordered.Count == 0 || Order.Compare(ordered[^1], stored) < 0);
        ordered.Add(stored);
        return stored;
    }

    /// <summary>Replaces the filter values, keeping the index over the first one right.</summary>
    public void SetFilters(StoredObject stored, string?[] filters)
    {
        var before = stored.Filters.Length > 0 ? stored.Filters[0] : null;
        var after = filters.Length > 0 ? filters[0] : null;
        stored.Filters = filters;
        if (before == after)
        {
            return;
        }

        Unindex(stored, before);
        if (after is not null)
        {
            if (!byFirstFilter.TryGetValue(after, out var holders))
            {
                byFirstFilter[after] = holders = new List<StoredObject>(1);
            }

            holders.Add(stored);
        }
    }

    public void Delete(StoredObject stored, byte[]? stub)
    {
        Unindex(stored, stored.Filters.Length > 0 ? stored.Filters[0] : null);
        stored.Filters = [];
        stored.Deleted = true;
        stored.Indexed = null;
        deleted++;
        if (stub is null)
        {
            byId.Remove(stored.Id);
        }
        else
        {
            stored.Json = stub;
        }

        if (deleted > 1024 && deleted > ordered.Count / 2)
        {
            ordered.RemoveAll(static entry => entry.Deleted);
            deleted = 0;
        }
    }

    /// <summary>Live objects in list order, oldest first.</summary>
    public IEnumerable<StoredObject> Live()
    {
        Sort();
        return ordered.Where(static entry => !entry.Deleted);
    }

    /// <summary>Live objects whose first filter equals <paramref name="value"/>, oldest first.</summary>
    public List<StoredObject> ByFirstFilter(string value)
    {
        var found = byFirstFilter.TryGetValue(value, out var holders) ? new List<StoredObject>(holders) : [];
        found.Sort(Order);
        return found;
    }

    /// <summary>
    /// Walks live objects from a cursor: towards older ones, or towards newer ones when <paramref name="newer"/>.
    /// </summary>
    /// <param name="cursor">
    /// The object to start beside, itself not included; null starts at the end of the list.
    /// </param>
    /// <param name="newer">The direction.</param>
    /// <param name="createdMax">Start at this time when walking towards older ones.</param>
    public IEnumerable<StoredObject> Walk(StoredObject? cursor, bool newer, long createdMax)
    {
        Sort();
        var step = newer ? 1 : -1;
        for (var at = Start(cursor, newer, createdMax); at >= 0 && at < ordered.Count; at += step)
        {
            if (!ordered[at].Deleted)
            {
                yield return ordered[at];
            }
        }
    }

    private int Start(StoredObject? cursor, bool newer, long createdMax)
    {
        if (cursor is not null)
        {
            var at = ordered.BinarySearch(cursor, Order);
            var found = at >= 0 ? at : ~at;
            return newer ? (at >= 0 ? found + 1 : found) : found - 1;
        }

        if (newer)
        {
            return 0;
        }

        if (createdMax == long.MaxValue)
        {
            return ordered.Count - 1;
        }

        var bound = ordered.BinarySearch(new StoredObject(string.Empty, createdMax, long.MaxValue), Order);
        return (bound >= 0 ? bound : ~bound - 1);
    }

    private void Sort()
    {
        if (!sorted)
        {
            ordered.Sort(Order);
            sorted = true;
        }
    }

    private void Unindex(StoredObject stored, string? value)
    {
        if (value is not null && byFirstFilter.TryGetValue(value, out var holders))
        {
            holders.Remove(stored);
            if (holders.Count == 0)
            {
                byFirstFilter.Remove(value);
            }
        }
    }
}
