using System.Text;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>
/// Decodes <c>application/x-www-form-urlencoded</c> text with bracketed names, from a body or a query.
/// </summary>
internal static class FormDecoder
{
    private const int PairsMax = 10_000;
    private const int DepthMax = 10;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Adds every pair of <paramref name="text"/> to <paramref name="root"/>, the later one winning.</summary>
    /// <exception cref="StripeException">Escapes, UTF-8 or brackets that cannot be read, or too many pairs.</exception>
    public static void Decode(ReadOnlySpan<byte> text, FormNode root)
    {
        var scratch = new byte[text.Length];
        var pairs = 0;
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'&');
            var pair = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            if (pair.IsEmpty)
            {
                continue;
            }

            if (++pairs > PairsMax)
            {
                throw StripeException.Invalid(null, $"A request may carry at most {PairsMax} parameters.");
            }

            var equals = pair.IndexOf((byte)'=');
            var name = Unescape(equals < 0 ? pair : pair[..equals], scratch);
            var value = equals < 0 ? string.Empty : Unescape(pair[(equals + 1)..], scratch);
            Place(root, name, value);
        }
    }

    private static string Unescape(ReadOnlySpan<byte> text, byte[] scratch)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var symbol = text[i];
            if (symbol == '+')
            {
                symbol = (byte)' ';
            }
            else if (symbol == '%')
            {
                if (i + 2 >= text.Length || !TryHex(text[i + 1], out var high) || !TryHex(text[i + 2], out var low))
                {
                    throw StripeException.Invalid(null, "Invalid %-encoding in the request parameters.");
                }

                symbol = (byte)((high << 4) | low);
                i += 2;
            }

            scratch[length++] = symbol;
        }

        try
        {
            return Strict.GetString(scratch, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw StripeException.Invalid(null, "Invalid UTF-8 in the request parameters.");
        }
    }

    private static bool TryHex(byte symbol, out int value)
    {
        value = symbol switch
        {
            >= (byte)'0' and <= (byte)'9' => symbol - '0',
            >= (byte)'a' and <= (byte)'f' => symbol - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => symbol - 'A' + 10,
            _ => -1,
        };
        return value >= 0;
    }

    private static void Place(FormNode root, string name, string value)
    {
        var path = Split(name);
        var node = root;
        for (var depth = 0; ; depth++)
        {
            var last = depth == path.Count - 1;
            if (!last && path[depth + 1].Length == 0)
            {
                PlaceInList(node.ListAt(path[depth]) ?? throw Mixed(name), path, depth + 2, value, name);
                return;
            }

            if (last)
            {
                node.Set(path[depth], FormNode.Leaf(value));
                return;
            }

            node = node.HashAt(path[depth]) ?? throw Mixed(name);
        }
    }

    private static void PlaceInList(FormNode list, List<string> path, int next, string value, string name)
    {
        if (next == path.Count)
        {
            list.Add(FormNode.Leaf(value));
            return;
        }

        if (path[next].Length == 0)
        {
            throw Mixed(name);
        }

        var element = list.Items is { Count: > 0 } items ? items[^1] : null;
        if (element?.Fields is null || (element.Field(path[next]) is not null && next == path.Count - 1))
        {
            element = FormNode.Hash();
            list.Add(element);
        }

        for (; next < path.Count - 1; next++)
        {
            element = element.HashAt(path[next]) ?? throw Mixed(name);
        }

        element.Set(path[next], FormNode.Leaf(value));
    }

    /// <summary>The parts of <c>a[b][]</c>; a name whose brackets do not close is one literal part.</summary>
    private static List<string> Split(string name)
    {
        var open = name.IndexOf('[');
        if (open <= 0)
        {
            return [name];
        }

        var path = new List<string>(4) { name[..open] };
        while (open < name.Length)
        {
            var close = name[open] == '[' ? name.IndexOf(']', open) : -1;
            if (close < 0)
            {
                return [name];
            }

            path.Add(name[(open + 1)..close]);
            open = close + 1;
        }

        return path.Count <= DepthMax
            ? path
            : throw StripeException.Invalid(null, "The request parameters are nested too deeply.", name);
    }

    private static StripeException Mixed(string name) =>
        StripeException.Invalid(null, $"Invalid parameter: {name} is used both as a value and as a container.", name);
}
