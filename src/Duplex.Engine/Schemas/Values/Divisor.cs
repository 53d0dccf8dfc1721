using System.Globalization;
using System.Numerics;

namespace Duplex.Engine.Schemas.Values;

/// <summary>A number above zero that others are whole multiples of, or not: exact, in time linear in the digits.</summary>
internal sealed class Divisor
{
    /// <summary>Up to here a remainder times ten still fits.</summary>
    private const ulong SmallMax = 1_000_000_000_000_000_000;

    private readonly BigInteger _digits;
    private readonly ulong _small;
    private readonly long _exponent;

    /// <summary>Takes the text of a number above zero.</summary>
    public Divisor(ReadOnlySpan<byte> text)
    {
        var number = new NumberText(text);
        Span<char> digits = number.Count <= 256 ? stackalloc char[number.Count] : new char[number.Count];
        for (var i = 0; i < digits.Length; i++)
            digits[i] = (char)('0' + number[i]);
        _digits = BigInteger.Parse(digits, CultureInfo.InvariantCulture);
        _small = _digits <= SmallMax ? (ulong)_digits : 0;
        _exponent = number.Exponent;
    }

    /// <summary>Whether the number is the divisor times a whole number.</summary>
    public bool Divides(NumberText number)
    {
        if (number.IsZero)
            return true;
        // Neither has a zero at its end, so that tens lacking in the one cannot come from the digits of the other.
        if (number.Exponent < _exponent)
            return false;
        var tens = number.Exponent - _exponent;
        return _small > 0 ? SmallDivides(number, tens) : LargeDivides(number, tens);
    }

    private bool SmallDivides(NumberText number, long tens)
    {
        ulong rest = 0;
        for (var i = 0; i < number.Count; i++)
        {
            if (rest >= SmallMax)
                rest %= _small;
            rest = rest * 10 + (ulong)number[i];
        }

        rest %= _small;
        if (rest == 0 || tens == 0)
            return rest == 0;
        return (UInt128)rest * (ulong)BigInteger.ModPow(10, tens, _digits) % _small == 0;
    }

    private bool LargeDivides(NumberText number, long tens)
    {
        const int stride = 18;
        var rest = BigInteger.Zero;
        for (var i = 0; i < number.Count;)
        {
            ulong chunk = 0;
            ulong scale = 1;
            for (var end = Math.Min(number.Count, i + stride); i < end; i++)
            {
                chunk = chunk * 10 + (ulong)number[i];
                scale *= 10;
            }

            rest = (rest * scale + chunk) % _digits;
        }

        return (rest * BigInteger.ModPow(10, tens, _digits) % _digits).IsZero;
    }
}
