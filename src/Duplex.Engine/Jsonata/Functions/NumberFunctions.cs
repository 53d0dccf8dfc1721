using System.Globalization;
using System.Numerics;
using System.Text;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

internal static class NumberFunctions
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";

    public static Value Number(Value[] arguments, in CallSite site)
    {
        var argument = arguments[0];
        switch (argument.Kind)
        {
            case ValueKind.Undefined or ValueKind.Number:
                return argument;
            case ValueKind.Boolean:
                return Value.Of(argument.IsTrue ? 1.0 : 0.0);
            case ValueKind.String:
                string text = argument.Text;
                site.Run.Steps(text.Length / 16);
                if (Parse(text) is { } number)
                    return number;
                throw Errors.Of("D3030", text.Length > 100 ? text[..100] : text);
            default:
                throw Errors.Of("D3030", "null");
        }
    }

    public static Value Abs(Value[] arguments, in CallSite site) => Apply(arguments[0], Math.Abs);

    public static Value Floor(Value[] arguments, in CallSite site) => Apply(arguments[0], Math.Floor);

    public static Value Ceil(Value[] arguments, in CallSite site) => Apply(arguments[0], Math.Ceiling);

    public static Value Round(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        return Value.Of(RoundHalfEven(arguments[0].Number, arguments[1].IsUndefined ? 0 : arguments[1].Number));
    }

    public static Value Sqrt(Value[] arguments, in CallSite site)
    {
        if (arguments[0].Number < 0)
            throw Errors.Of("D3060", NumberFormat.Shortest(arguments[0].Number));
        return Apply(arguments[0], Math.Sqrt);
    }

    public static Value Power(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        double result = arguments[1].IsUndefined ? double.NaN : Math.Pow(arguments[0].Number, arguments[1].Number);
        return double.IsFinite(result) ? Value.Of(result) : throw Errors.Of("D3061");
    }

    public static Value Random(Value[] arguments, in CallSite site) => Value.Of(site.Run.Random.NextDouble());

    public static Value Sum(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        return Value.Of(Total(arguments[0].Array, site.Run));
    }

    public static Value Average(Value[] arguments, in CallSite site) => IsEmpty(arguments[0])
        ? Value.Undefined
        : Value.Of(Total(arguments[0].Array, site.Run) / arguments[0].Array.Count);

    public static Value Max(Value[] arguments, in CallSite site) => Extreme(arguments[0], 1, site.Run);

    public static Value Min(Value[] arguments, in CallSite site) => Extreme(arguments[0], -1, site.Run);

    public static Value FormatBase(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        double value = RoundHalfEven(arguments[0].Number, 0);
        double radix = arguments[1].IsUndefined ? 10 : RoundHalfEven(arguments[1].Number, 0);
        if (radix is not (>= 2 and <= 36))
            throw Errors.Of("D3100", NumberFormat.Shortest(radix));
        if (radix == 10 || !double.IsFinite(value))
            return Value.Of(NumberFormat.Shortest(value));
        var rest = BigInteger.Abs(new BigInteger(value));
        var text = new StringBuilder();
        do
        {
            rest = BigInteger.DivRem(rest, (int)radix, out var digit);
            text.Insert(0, Digits[(int)digit]);
        }
        while (!rest.IsZero);
        return Value.Of(value < 0 ? text.Insert(0, '-').ToString() : text.ToString());
    }

    /// <summary>Rounds to that many decimal places, before the point if negative; a half goes to the even digit. The
    /// number's decimal digits are what counts, not those of its double.</summary>
    public static double RoundHalfEven(double value, double places)
    {
        if (!double.IsFinite(value))
            return value;
        int shift = (int)Math.Clamp(Math.Truncate(places), -400, 400);
        double rounded = Math.Round(Shift(value, shift), MidpointRounding.ToEven);
        double result = double.IsFinite(rounded) ? Shift(rounded, -shift) : value;
        return result == 0 ? 0 : result;
    }

    private static double Shift(double value, int places)
    {
        if (places == 0)
            return value;
        string shortest = value.ToString("R", CultureInfo.InvariantCulture);
        int mark = shortest.IndexOf('E', StringComparison.Ordinal);
        string mantissa = mark < 0 ? shortest : shortest[..mark];
        int exponent = mark < 0 ? 0 : int.Parse(shortest.AsSpan(mark + 1), CultureInfo.InvariantCulture);
        string text = string.Create(CultureInfo.InvariantCulture, $"{mantissa}E{exponent + places}");
        return double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private static Value Apply(in Value argument, Func<double, double> function) =>
        argument.IsUndefined ? argument : Value.Of(function(argument.Number));

    private static bool IsEmpty(in Value argument) => argument.IsUndefined || argument.Array.Count == 0;

    private static double Total(ArrayValue items, EvaluationRun run)
    {
        run.Steps(items.Count);
        double total = 0;
        for (int i = 0; i < items.Count; i++)
            total += items[i].Number;
        return total;
    }

    private static Value Extreme(in Value argument, int sign, EvaluationRun run)
    {
        if (IsEmpty(argument))
            return Value.Undefined;
        var items = argument.Array;
        run.Steps(items.Count);
        var result = items[0];
        for (int i = 1; i < items.Count; i++)
        {
            if (sign * items[i].Number.CompareTo(result.Number) > 0)
                result = items[i];
        }
        return result;
    }

    /// <summary>Decimal as in JSON (but zeros may lead), or with 0x, 0o, 0b.</summary>
    private static Value? Parse(string text)
    {
        int radix = text.Length > 2 && text[0] == '0'
            ? text[1] switch { 'x' or 'X' => 16, 'o' or 'O' => 8, 'b' or 'B' => 2, _ => 10 }
            : 10;
        if (radix != 10)
            return ParseDigits(text.AsSpan(2), radix);
        if (!IsDecimal(text))
            return null;
        double number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(number))
            return null;
        int lead = text[0] == '-' ? 1 : 0;
        bool isExact = text.Length - lead <= 15 || !NumberFormat.IsWhole(text) || text[lead] == '0';
        return isExact ? Value.Of(number) : Value.Of(number, text);
    }

    private static Value? ParseDigits(ReadOnlySpan<char> digits, int radix)
    {
        double number = 0;
        foreach (char c in digits)
        {
            int digit = Digits.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
            if (digit < 0 || digit >= radix)
                return null;
            number = number * radix + digit;
        }
        return double.IsFinite(number) ? Value.Of(number) : null;
    }

    private static bool IsDecimal(string text)
    {
        int at = text.Length > 0 && text[0] == '-' ? 1 : 0;
        if (!SkipDigits(text, ref at))
            return false;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            if (!SkipDigits(text, ref at))
                return false;
        }
        if (at < text.Length && text[at] is ('e' or 'E'))
        {
            at++;
            if (at < text.Length && text[at] is ('+' or '-'))
                at++;
            if (!SkipDigits(text, ref at))
                return false;
        }
        return at == text.Length;
    }

    private static bool SkipDigits(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        return at > start;
    }
}
