using System.Globalization;
using System.Text;

namespace Duplex.Client;

/// <summary>Which records of a feed to read.</summary>
/// <param name="Offset">Those after this offset; null for where the consumer stands, else for the first that is
/// left.</param>
/// <param name="Limit">The most records of one answer, from 1 to 1000.</param>
/// <param name="Table">Only those of this table.</param>
/// <param name="Wait">How long the server waits for a record where there is none, up to 30 s.</param>
/// <param name="Consumer">Whose stored position is meant.</param>
/// <param name="Ack">Whether what is answered counts as dealt with.</param>
public sealed record FeedReading(
    long? Offset = null, int Limit = 50, string? Table = null, TimeSpan Wait = default, string? Consumer = null,
    bool Ack = false)
{
    /// <summary>As the query of a request.</summary>
    internal string Query
    {
        get
        {
            var query = new StringBuilder("?limit=").Append(CultureInfo.InvariantCulture, $"{Limit}");
            if (Offset is { } offset)
            {
                query.Append(CultureInfo.InvariantCulture, $"&offset={offset}");
            }

            if (Table is not null)
            {
                query.Append("&table=").Append(Uri.EscapeDataString(Table));
            }

            if (Wait > TimeSpan.Zero)
            {
                query.Append(CultureInfo.InvariantCulture, $"&wait={(long)Wait.TotalMilliseconds}ms");
            }

            if (Consumer is not null)
            {
                query.Append("&consumer=").Append(Uri.EscapeDataString(Consumer)).Append(Ack ? "&ack=true" : "");
            }

            return query.ToString();
        }
    }
}
