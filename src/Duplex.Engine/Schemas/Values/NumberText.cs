namespace Duplex.Engine.Schemas.Values;

/// <summary>
/// A JSON number read where it stands, with all its digits: <c>±digits × 10^Exponent</c>, without zeros at either end
/// of the digits.
/// </summary>
internal readonly ref struct NumberText
{
    private const long ExponentMax = 1_000_000_000_000_000;

    private readonly ReadOnlySpan<byte> _whole;
    private readonly ReadOnlySpan<byte> _decimals;

    /// <summary>Takes the text of a number that JSON allows.</summary>
    public NumberText(ReadOnlySpan<byte> text)
    {
        IsNegative = text[0] == (byte)'-';
        if (IsNegative)
            text = text[1..];
        var e = text.IndexOfAny((byte)'e', (byte)'E');
        var exponent = e < 0 ? 0 : ReadExponent(text[(e + 1)..]);
        if (e >= 0)
            text = text[..e];
        var dot = text.IndexOf((byte)'.');
        var whole = (dot < 0 ? text : text[..dot]).TrimStart((byte)'0');
        var decimals = dot < 0 ? default : text[(dot + 1)..].TrimEnd((byte)'0');
        exponent -= decimals.Length;
        if (whole.IsEmpty)
            decimals = decimals.TrimStart((byte)'0');
        if (decimals.IsEmpty)
        {
            var trimmed = whole.TrimEnd((byte)'0');
            exponent += whole.Length - trimmed.Length;
            whole = trimmed;
        }

        _whole = whole;
        _decimals = decimals;
        Exponent = IsZero ? 0 : exponent;
        IsNegative &= !IsZero;
    }

    /// <summary>Below zero.</summary>
    public bool IsNegative { get; }

    /// <summary>The power of ten of the last digit; 0 for zero.</summary>
    public long Exponent { get; }

    /// <summary>How many digits there are; none for zero.</summary>
    public int Count => _whole.Length + _decimals.Length;

    public bool IsZero => Count == 0;

    /// <summary>Whether it has no decimals.</summary>
    public bool IsWhole => Exponent >= 0;

    /// <summary>The digit at a place, counted from the first.</summary>
    public int this[int index] =>
        (index < _whole.Length ? _whole[index] : _decimals[index - _whole.Length]) - '0';

    /// <summary>Whether the text is a whole number, such as <c>7</c>, <c>7.0</c> and <c>7e3</c>.</summary>
    public static bool IsWholeNumber(ReadOnlySpan<byte> text) =>
        text.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0 || new NumberText(text).IsWhole;

    /// <summary>Reads a number of digits alone, as most are.</summary>
    public static bool TryWhole(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        var isNegative = text[0] == (byte)'-';
        var digits = isNegative ? text[1..] : text;
        if (digits.Length > 18)
            return false;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            value = value * 10 + (digit - '0');
        }

        value = isNegative ? -value : value;
        return true;
    }

    /// <summary>The order of two numbers.</summary>
    public static int Compare(NumberText left, NumberText right)
    {
        if (left.Sign != right.Sign)
            return left.Sign.CompareTo(right.Sign);
        var magnitude = (left.Count + left.Exponent).CompareTo(right.Count + right.Exponent);
        var shared = Math.Min(left.Count, right.Count);
        for (var i = 0; magnitude == 0 && i < shared; i++)
            magnitude = left[i].CompareTo(right[i]);
        if (magnitude == 0)
            magnitude = left.Count.CompareTo(right.Count);
        return left.IsNegative ? -magnitude : magnitude;
    }

    /// <summary>The same for the same number, however it is written.</summary>
    public int Hash()
    {
        Span<byte> digits = Count <= 256 ? stackalloc byte[Count] : new byte[Count];
        _whole.CopyTo(digits);
        _decimals.CopyTo(digits[_whole.Length..]);
        var hash = new HashCode();
        hash.Add(IsNegative);
        hash.Add(Exponent);
        hash.AddBytes(digits);
        return hash.ToHashCode();
    }

    private int Sign => IsZero ? 0 : IsNegative ? -1 : 1;

    private static long ReadExponent(ReadOnlySpan<byte> text)
    {
        var negative = text[0] == (byte)'-';
        if (text[0] is (byte)'-' or (byte)'+')
            text = text[1..];
        long value = 0;
        foreach (var digit in text)
            value = Math.Min(ExponentMax, value * 10 + (digit - '0'));
        return negative ? -value : value;
    }
}
