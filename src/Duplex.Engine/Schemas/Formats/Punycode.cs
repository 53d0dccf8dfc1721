using System.Text;

namespace Duplex.Engine.Schemas.Formats;

/// <summary>Characters in letters, digits and hyphens (RFC 3492).</summary>
internal static class Punycode
{
    private const int Base = 36;
    private const int FirstBias = 72;
    private const int FirstCharacter = 128;

    /// <summary>The text; null when it is not Punycode.</summary>
    public static string? Decode(ReadOnlySpan<char> encoded)
    {
        var hyphen = encoded.LastIndexOf('-');
        List<int> output = [.. encoded[..Math.Max(0, hyphen)].ToArray().Select(static c => (int)c)];
        var (at, i, bias, character) = (hyphen + 1, 0L, FirstBias, (long)FirstCharacter);
        while (at < encoded.Length)
        {
            var before = i;
            long weight = 1;
            for (var k = Base; ; k += Base)
            {
                if (at == encoded.Length || Digit(encoded[at++]) is not { } digit)
                    return null;
                i += digit * weight;
                var threshold = Threshold(k, bias);
                if (i > int.MaxValue)
                    return null;
                if (digit < threshold)
                    break;
                weight *= Base - threshold;
            }

            bias = Adapt(i - before, output.Count + 1, isFirst: before == 0);
            character += i / (output.Count + 1);
            i %= output.Count + 1;
            if (!Rune.IsValid((int)Math.Min(character, int.MaxValue)))
                return null;
            output.Insert((int)i++, (int)character);
        }

        return string.Concat(output.Select(static c => new Rune(c).ToString()));
    }

    /// <summary>The text in letters, digits and hyphens.</summary>
    public static string Encode(string text)
    {
        int[] input = [.. text.EnumerateRunes().Select(static r => r.Value)];
        var output = new StringBuilder();
        foreach (var c in input.Where(static c => c < FirstCharacter))
            output.Append((char)c);
        var basic = output.Length;
        if (basic > 0)
            output.Append('-');
        var (handled, delta, bias, next) = (basic, 0L, FirstBias, FirstCharacter);
        while (handled < input.Length)
        {
            var least = input.Where(c => c >= next).Min();
            delta += (long)(least - next) * (handled + 1);
            next = least;
            foreach (var c in input)
            {
                if (c < next)
                    delta++;
                if (c != next)
                    continue;
                Append(output, delta, bias);
                bias = Adapt(delta, handled + 1, isFirst: handled == basic);
                delta = 0;
                handled++;
            }

            delta++;
            next++;
        }

        return output.ToString();
    }

    private static void Append(StringBuilder output, long delta, int bias)
    {
        for (var k = Base; ; k += Base)
        {
            var threshold = Threshold(k, bias);
            if (delta < threshold)
            {
                output.Append(Letter((int)delta));
                return;
            }

            output.Append(Letter(threshold + (int)((delta - threshold) % (Base - threshold))));
            delta = (delta - threshold) / (Base - threshold);
        }
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, 1, 26);

    private static int Adapt(long delta, int count, bool isFirst)
    {
        delta = isFirst ? delta / 700 : delta / 2;
        delta += delta / count;
        var k = 0;
        for (; delta > 455; k += Base)
            delta /= Base - 1;
        return (int)(k + 36 * delta / (delta + 38));
    }

    private static char Letter(int digit) => (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);

    private static int? Digit(char c) => c switch
    {
        >= '0' and <= '9' => c - '0' + 26,
        >= 'a' and <= 'z' => c - 'a',
        >= 'A' and <= 'Z' => c - 'A',
        _ => null,
    };
}
