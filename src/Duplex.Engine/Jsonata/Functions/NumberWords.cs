using System.Collections.Frozen;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>Numbers in English words, in Roman numerals and in letters.</summary>
internal static class NumberWords
{
    private static readonly string[] _small =
    [
        "Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve",
        "Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen",
    ];

    private static readonly string[] _smallOrdinals =
    [
        "Zeroth", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth",
        "Eleventh", "Twelfth", "Thirteenth", "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth",
        "Nineteenth",
    ];

    private static readonly string[] _tens =
        ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];

    private static readonly string[] _powers = ["Thousand", "Million", "Billion", "Trillion"];

    private static readonly (int Value, string Numeral)[] _numerals =
    [
        (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
        (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
    ];

    private static readonly FrozenDictionary<string, double> _values = Values()
        .ToFrozenDictionary(v => v.Word, v => v.Value, StringComparer.OrdinalIgnoreCase);

    /// <summary>Every word that can be part of a number.</summary>
    public static IEnumerable<string> Words => _values.Keys;

    public static string ToWords(double number, bool isOrdinal) => Join(number, isOrdinal, "");

    /// <summary>The number that the words tell; NaN if a word is none of a number.</summary>
    public static double FromWords(string text)
    {
        double total = 0;
        double group = 0;
        foreach (string word in text.Split([' ', '-', ',', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.Equals("and", StringComparison.OrdinalIgnoreCase))
                continue;
            if (!_values.TryGetValue(word, out double value))
                return double.NaN;
            if (value < 100)
            {
                if (group >= 1000)
                {
                    total += group;
                    group = 0;
                }
                group += value;
            }
            else
                group *= value;
        }
        return total + group;
    }

    public static string ToRoman(double number)
    {
        var result = new System.Text.StringBuilder();
        foreach (var (value, numeral) in _numerals)
        {
            for (; number >= value; number -= value)
                result.Append(numeral);
        }
        return result.ToString();
    }

    public static double FromRoman(string text)
    {
        double total = 0;
        int highest = 1;
        for (int i = text.Length - 1; i >= 0; i--)
        {
            int value = char.ToLowerInvariant(text[i]) switch
            {
                'm' => 1000, 'd' => 500, 'c' => 100, 'l' => 50, 'x' => 10, 'v' => 5, 'i' => 1, _ => 0,
            };
            if (value == 0)
                return double.NaN;
            total += value < highest ? -value : value;
            highest = Math.Max(highest, value);
        }
        return total;
    }

    /// <summary>a, b, … z, aa, ab, …; nothing for zero.</summary>
    public static string ToLetters(double number, char first)
    {
        var result = new System.Text.StringBuilder();
        for (; number > 0; number = Math.Floor((number - 1) / 26))
            result.Insert(0, (char)(first + (int)((number - 1) % 26)));
        return result.ToString();
    }

    public static double FromLetters(string text, char first)
    {
        double total = 0;
        foreach (char c in text)
        {
            if (c < first || c > first + 25)
                return double.NaN;
            total = total * 26 + (c - first + 1);
        }
        return total;
    }

    private static IEnumerable<(string Word, double Value)> Values()
    {
        for (int i = 0; i < _small.Length; i++)
        {
            yield return (_small[i], i);
            yield return (_smallOrdinals[i], i);
        }
        for (int i = 0; i < _tens.Length; i++)
        {
            yield return (_tens[i], 10 * (i + 2));
            yield return (_tens[i][..^1] + "ieth", 10 * (i + 2));
        }
        yield return ("Hundred", 100);
        yield return ("Hundredth", 100);
        for (int i = 0; i < _powers.Length; i++)
        {
            yield return (_powers[i], Math.Pow(1000, i + 1));
            yield return (_powers[i] + "th", Math.Pow(1000, i + 1));
        }
    }

    /// <param name="number">The number.</param>
    /// <param name="isOrdinal">Third instead of three.</param>
    /// <param name="lead">What joins it to the words before it: nothing if there are none; else it depends on the
    /// number.</param>
    private static string Join(double number, bool isOrdinal, string lead)
    {
        string and = lead.Length == 0 ? "" : " and ";
        if (number < 20)
            return and + (isOrdinal ? _smallOrdinals : _small)[(int)number];
        if (number < 100)
        {
            string ten = _tens[(int)(number / 10) - 2];
            int unit = (int)(number % 10);
            if (unit > 0)
                return and + ten + "-" + Join(unit, isOrdinal, "");
            return and + (isOrdinal ? ten[..^1] + "ieth" : ten);
        }
        int power = number < 1000 ? 0 : Math.Clamp(PowerOf(number), 1, _powers.Length);
        double unitOf = power == 0 ? 100 : Math.Pow(1000, power);
        double count = Math.Floor(number / unitOf);
        double rest = number - count * unitOf;
        string name = power == 0 ? "Hundred" : _powers[power - 1];
        string words = (lead.Length == 0 ? "" : ", ") + Join(count, false, "") + " " + name;
        if (rest > 0)
            return words + Join(rest, isOrdinal, "more");
        return isOrdinal ? words + "th" : words;
    }

    private static int PowerOf(double number)
    {
        int power = 0;
        for (; number >= 1000; number /= 1000)
            power++;
        return power;
    }
}
