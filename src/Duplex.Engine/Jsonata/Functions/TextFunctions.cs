using System.Text;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>Functions of strings. Characters are Unicode code points; half a surrogate pair counts as one.</summary>
internal static class TextFunctions
{
    public static Value String(Value[] arguments, in CallSite site) => arguments[0].IsUndefined
        ? arguments[0]
        : Value.Of(JsonText.Of(arguments[0], arguments[1].IsTrue, site.Run));

    public static Value Length(Value[] arguments, in CallSite site) =>
        arguments[0].IsUndefined ? arguments[0] : Value.Of((double)Count(arguments[0].Text));

    public static Value Substring(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        int count = Count(text);
        double start = arguments[1].IsUndefined ? double.NaN : arguments[1].Number;
        if (count + start < 0)
            start = 0;
        double end = count;
        if (!arguments[2].IsUndefined)
        {
            double length = arguments[2].Number;
            if (length <= 0)
                return Value.Of("");
            end = start >= 0 ? start + length : count + start + length;
        }
        site.Run.Charge(2L * text.Length);
        return Value.Of(Slice(text, count, Place(start, count), Place(end, count)));
    }

    public static Value SubstringBefore(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        int at = text.IndexOf(Sought(arguments[1]), StringComparison.Ordinal);
        site.Run.Charge(2L * text.Length);
        return at < 0 ? arguments[0] : Value.Of(text[..at]);
    }

    public static Value SubstringAfter(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        string sought = Sought(arguments[1]);
        int at = text.IndexOf(sought, StringComparison.Ordinal);
        site.Run.Charge(2L * text.Length);
        return at < 0 ? arguments[0] : Value.Of(text[(at + sought.Length)..]);
    }

    public static Value Lowercase(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        site.Run.Charge(2L * arguments[0].Text.Length);
        return Value.Of(arguments[0].Text.ToLowerInvariant());
    }

    public static Value Uppercase(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        site.Run.Charge(2L * arguments[0].Text.Length);
        return Value.Of(arguments[0].Text.ToUpperInvariant().Replace("ß", "SS", StringComparison.Ordinal));
    }

    public static Value Trim(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        site.Run.Charge(2L * text.Length);
        var result = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            bool isBlank = c is ' ' or '\t' or '\n' or '\r';
            if (!isBlank)
                result.Append(c);
            else if (result.Length > 0 && result[^1] != ' ')
                result.Append(' ');
        }
        if (result.Length > 0 && result[^1] == ' ')
            result.Length--;
        return Value.Of(result.ToString());
    }

    public static Value Pad(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        string filler = arguments[2].IsUndefined || arguments[2].Text.Length == 0 ? " " : arguments[2].Text;
        double width = Math.Truncate(arguments[1].Number);
        double missing = Math.Abs(width) - Count(text);
        if (!(missing > 0))
            return arguments[0];
        site.Run.Charge((long)Math.Min(4 * missing + 2 * text.Length, long.MaxValue / 2));
        string padding = Repeated(filler, (int)missing);
        return Value.Of(width > 0 ? text + padding : padding + text);
    }

    public static Value Join(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string separator = arguments[1].IsUndefined ? "" : arguments[1].Text;
        var items = arguments[0].Array;
        var result = new StringBuilder();
        for (int i = 0; i < items.Count; i++)
        {
            string item = items[i].Kind == ValueKind.String ? items[i].Text : "";
            site.Run.Step();
            site.Run.Charge(2L * (item.Length + separator.Length));
            result.Append(i > 0 ? separator : "").Append(item);
        }
        return Value.Of(result.ToString());
    }

    private static string Sought(in Value argument) => argument.IsUndefined ? "undefined" : argument.Text;

    private static int Count(string text)
    {
        int pairs = 0;
        for (int i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i]))
            {
                pairs++;
                i++;
            }
        }
        return text.Length - pairs;
    }

    /// <summary>A place among that many characters; one that is negative is counted from the end.</summary>
    private static int Place(double place, int count)
    {
        double whole = double.IsNaN(place) ? 0 : Math.Truncate(place);
        return (int)Math.Clamp(whole < 0 ? whole + count : whole, 0, count);
    }

    private static string Slice(string text, int count, int start, int end)
    {
        if (end <= start)
            return "";
        if (count == text.Length)
            return text[start..end];
        int from = UnitsOf(text, 0, start);
        return text[from..UnitsOf(text, from, end - start)];
    }

    /// <summary>The UTF-16 index that lies that many characters behind another.</summary>
    private static int UnitsOf(string text, int index, int characters)
    {
        for (; characters > 0 && index < text.Length; characters--)
            index += index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1]) ? 2 : 1;
        return index;
    }

    private static string Repeated(string filler, int characters)
    {
        if (filler.Length == 1)
            return new(filler[0], characters);
        int perFiller = Count(filler);
        var result = new StringBuilder();
        for (; characters >= perFiller; characters -= perFiller)
            result.Append(filler);
        return result.Append(filler, 0, UnitsOf(filler, 0, characters)).ToString();
    }
}
