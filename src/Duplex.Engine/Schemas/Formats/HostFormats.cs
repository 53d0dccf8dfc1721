namespace Duplex.Engine.Schemas.Formats;

/// <summary><c>hostname</c> (RFC 1123) and <c>idn-hostname</c> (RFC 5890).</summary>
internal static class HostFormats
{
    private const int NameMax = 253;
    private const int LabelMax = 63;

    public static bool IsHostname(string text)
    {
        if (text.Length is 0 or > NameMax)
            return false;
        foreach (var range in text.AsSpan().Split('.'))
        {
            var label = text.AsSpan(range);
            if (!IsLabel(label) || (IsAlabel(label) && !InternationalLabel.IsEncoded(label)))
                return false;
        }

        return true;
    }

    public static bool IsInternational(string text)
    {
        string[] labels = text.Split('.', '\u3002', '\uFF0E', '\uFF61');
        var length = labels.Length - 1;
        List<string> decoded = [];
        foreach (var label in labels)
        {
            if (InternationalLabel.Encode(label, out var unicode) is not { } encoded || encoded.Length > LabelMax)
                return false;
            decoded.Add(unicode);
            length += encoded.Length;
        }

        return length <= NameMax && BidiRule.Holds(decoded);
    }

    /// <summary>Whether the label is one of letters, digits and hyphens.</summary>
    public static bool IsLabel(ReadOnlySpan<char> label)
    {
        if (label.Length is 0 or > LabelMax || label[0] == '-' || label[^1] == '-')
            return false;
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
        }

        return true;
    }

    /// <summary>Whether the label says that it stands for another one.</summary>
    public static bool IsAlabel(ReadOnlySpan<char> label) =>
        label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase);
}
