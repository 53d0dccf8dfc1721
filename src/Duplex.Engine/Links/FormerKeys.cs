using System.Globalization;
using Duplex.Sdk;

namespace Duplex.Engine.Links;

/// <summary>
/// The keys of records that are gone while their deletes still wait and other records hold their keys: the key that it had, a mark, and
/// the number of its link. No system is asked about such a key: its record is gone by definition.
/// </summary>
internal static class FormerKeys
{
    /// <summary>No text of a database and no id of a vendor holds this character.</summary>
    private const string Mark = "\0former";

    private const string Marked = "\"\\u0000former\"";

    public static RecordKey Of(RecordKey key, long link) =>
        RecordKey.Of([.. key.Parts(), Mark, link.ToString(CultureInfo.InvariantCulture)]);

    public static bool Is(RecordKey key) => key.Json.Contains(Marked, StringComparison.Ordinal);
}
