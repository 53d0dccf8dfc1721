using System.Globalization;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>The characters that <c>\p{…}</c> names: the general categories by every name that ECMA-262 gives them, and
/// the properties that follow from ranges or categories alone.</summary>
internal static class UnicodeProperties
{
    private static readonly Lazy<CodePointSet[]> ByCategory = new(Scan);

    private static readonly Dictionary<string, string> LongNames = new(StringComparer.Ordinal)
    {
        ["Cased_Letter"] = "LC", ["Close_Punctuation"] = "Pe", ["Connector_Punctuation"] = "Pc", ["Control"] = "Cc",
        ["cntrl"] = "Cc", ["Currency_Symbol"] = "Sc", ["Dash_Punctuation"] = "Pd", ["Decimal_Number"] = "Nd",
        ["digit"] = "Nd", ["Enclosing_Mark"] = "Me", ["Final_Punctuation"] = "Pf", ["Format"] = "Cf",
        ["Initial_Punctuation"] = "Pi", ["Letter"] = "L", ["Letter_Number"] = "Nl", ["Line_Separator"] = "Zl",
        ["Lowercase_Letter"] = "Ll", ["Mark"] = "M", ["Combining_Mark"] = "M", ["Math_Symbol"] = "Sm",
        ["Modifier_Letter"] = "Lm", ["Modifier_Symbol"] = "Sk", ["Nonspacing_Mark"] = "Mn", ["Number"] = "N",
        ["Open_Punctuation"] = "Ps", ["Other"] = "C", ["Other_Letter"] = "Lo", ["Other_Number"] = "No",
        ["Other_Punctuation"] = "Po", ["Other_Symbol"] = "So", ["Paragraph_Separator"] = "Zp",
        ["Private_Use"] = "Co", ["Punctuation"] = "P", ["punct"] = "P", ["Separator"] = "Z",
        ["Space_Separator"] = "Zs", ["Spacing_Mark"] = "Mc", ["Surrogate"] = "Cs", ["Symbol"] = "S",
        ["Titlecase_Letter"] = "Lt", ["Unassigned"] = "Cn", ["Uppercase_Letter"] = "Lu",
    };

    private static readonly string[] ShortNames =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
        "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    /// <summary>The characters of a property; null for one that is not known.</summary>
    public static CodePointSet? Find(string property)
    {
        var equals = property.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0)
        {
            return property[..equals] switch
            {
                "General_Category" or "gc" => Category(property[(equals + 1)..]),
                "Script" or "sc" => UnicodeScripts.Find(property[(equals + 1)..]),
                "Script_Extensions" or "scx" => UnicodeScripts.FindExtended(property[(equals + 1)..]),
                _ => null,
            };
        }

        return property switch
        {
            "Any" => CodePointSet.Of((0, 0x10FFFF)),
            "ASCII" => CodePointSet.Of((0, 0x7F)),
            "ASCII_Hex_Digit" or "AHex" => CodePointSet.Of(('0', '9'), ('A', 'F'), ('a', 'f')),
            "Assigned" => Category("Cn")!.Complement(),
            "White_Space" or "space" => CodePointSet.Of((9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0),
                (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F),
                (0x3000, 0x3000)),
            _ => UnicodeScripts.FindBinary(property) ?? Category(property),
        };
    }

    private static CodePointSet? Category(string name)
    {
        name = LongNames.GetValueOrDefault(name, name);
        if (name == "LC")
            return Union(static n => n is "Lu" or "Ll" or "Lt");
        if (name.Length == 1 && ShortNames.Any(n => n[0] == name[0]))
            return Union(n => n[0] == name[0]);
        return ShortNames.Contains(name) ? Union(n => n == name) : null;
    }

    private static CodePointSet Union(Func<string, bool> wanted)
    {
        var all = new CodePointSet();
        for (var i = 0; i < ShortNames.Length; i++)
        {
            if (wanted(ShortNames[i]))
                all.Add(ByCategory.Value[i]);
        }

        return all;
    }

    private static CodePointSet[] Scan()
    {
        CodePointSet[] sets = [.. ShortNames.Select(static _ => new CodePointSet())];
        var from = 0;
        var category = CharUnicodeInfo.GetUnicodeCategory(0);
        for (var at = 1; at <= 0x110000; at++)
        {
            var next = at > 0x10FFFF ? (UnicodeCategory)(-1) : CharUnicodeInfo.GetUnicodeCategory(at);
            if (next == category)
                continue;
            sets[(int)category].Add(from, at - 1);
            (from, category) = (at, next);
        }

        return sets;
    }
}
