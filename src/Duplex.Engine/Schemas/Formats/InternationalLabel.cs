using System.Text;
using Duplex.Engine.Schemas.Characters;

namespace Duplex.Engine.Schemas.Formats;

/// <summary>
/// Labels of international host names (RFC 5891, RFC 5892). Whether characters are composed is not looked at.
/// </summary>
internal static class InternationalLabel
{
    private const int LabelCharactersMax = 300;

    /// <summary>Whether a label that begins with <c>xn--</c> stands for a valid one.</summary>
    public static bool IsEncoded(ReadOnlySpan<char> label) =>
        Decode(label) is { } unicode && BidiRule.Holds([unicode]);

    /// <summary>The label in letters, digits and hyphens, and in Unicode; null for an invalid one.</summary>
    public static string? Encode(string label, out string unicode)
    {
        unicode = label;
        if (label.Length is 0 or > LabelCharactersMax)
            return null;
        if (!Ascii.IsValid(label))
            return IsValid(label) ? "xn--" + Punycode.Encode(label) : null;
        if (HostFormats.IsAlabel(label))
        {
            unicode = Decode(label)!;
            return unicode is null ? null : label;
        }

        return HostFormats.IsLabel(label) && !HasHyphens(label) ? label : null;
    }

    private static string? Decode(ReadOnlySpan<char> label)
    {
        var encoded = label[4..].ToString().ToLowerInvariant();
        return Punycode.Decode(encoded) is { } unicode && !Ascii.IsValid(unicode) && IsValid(unicode)
            && Punycode.Encode(unicode) == encoded ? unicode : null;
    }

    private static bool HasHyphens(string label) => label.Length >= 4 && label[2] == '-' && label[3] == '-';

    private static bool IsValid(string label)
    {
        if (HasHyphens(label) || label[0] == '-' || label[^1] == '-')
            return false;
        Rune[] runes = [.. label.EnumerateRunes()];
        if (UnicodeTable.IsMark(runes[0]))
            return false;
        for (var i = 0; i < runes.Length; i++)
        {
            if (!UnicodeTable.Has("idna=PVALID", runes[i]) && !IsValidThere(runes, i))
                return false;
        }

        return true;
    }

    /// <summary>The characters that are valid in some places only.</summary>
    private static bool IsValidThere(Rune[] label, int at) => label[at].Value switch
    {
        0x200C => IsAfterVirama(label, at) || Joins(label, at),
        0x200D => IsAfterVirama(label, at),
        0xB7 => at > 0 && at + 1 < label.Length && label[at - 1].Value == 'l' && label[at + 1].Value == 'l',
        0x375 => at + 1 < label.Length && UnicodeTable.Has("sc=Greek", label[at + 1]),
        0x5F3 or 0x5F4 => at > 0 && UnicodeTable.Has("sc=Hebrew", label[at - 1]),
        0x30FB => label.Any(static c => UnicodeTable.Has("sc=Hiragana", c) || UnicodeTable.Has("sc=Katakana", c)
            || UnicodeTable.Has("sc=Han", c)),
        >= 0x660 and <= 0x669 => !label.Any(static c => c.Value is >= 0x6F0 and <= 0x6F9),
        >= 0x6F0 and <= 0x6F9 => !label.Any(static c => c.Value is >= 0x660 and <= 0x669),
        _ => false,
    };

    private static bool IsAfterVirama(Rune[] label, int at) => at > 0 && UnicodeTable.Has("ccc=9", label[at - 1]);

    private static bool Joins(Rune[] label, int at)
    {
        var before = at - 1;
        while (before >= 0 && UnicodeTable.Has("jt=T", label[before]))
            before--;
        var after = at + 1;
        while (after < label.Length && UnicodeTable.Has("jt=T", label[after]))
            after++;
        return before >= 0 && after < label.Length
            && (UnicodeTable.Has("jt=L", label[before]) || UnicodeTable.Has("jt=D", label[before]))
            && (UnicodeTable.Has("jt=R", label[after]) || UnicodeTable.Has("jt=D", label[after]));
    }
}
