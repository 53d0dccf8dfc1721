using System.Globalization;
using System.Text;
using Duplex.Kafka.Clients;

namespace Duplex.Kafka.Topics;

/// <summary>A topic's name in the cluster.</summary>
internal static class TopicName
{
    /// <summary>The prefix, a dot and the name; what Kafka takes in no name is written <c>_u</c> and its number.</summary>
    public static string Of(ClientFactory clients, string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var rune in name.EnumerateRunes())
        {
            if (rune.IsAscii && (Rune.IsLetterOrDigit(rune) || rune.Value is '.' or '_' or '-'))
            {
                text.Append((char)rune.Value);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"_u{rune.Value:x4}_");
            }
        }

        return clients.Name(text.ToString());
    }
}
