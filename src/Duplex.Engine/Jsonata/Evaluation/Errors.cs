using System.Collections.Frozen;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>The language's error codes and what they mean.</summary>
internal static class Errors
{
    private static readonly FrozenDictionary<string, string> _meanings = new Dictionary<string, string>
    {
        ["S0101"] = "A string is not ended by the quote that begins it.",
        ["S0102"] = "Number {0} is out of range.",
        ["S0103"] = "Escape sequence \\{0} is not supported.",
        ["S0104"] = "\\u is not followed by four hexadecimal digits.",
        ["S0105"] = "A quoted name is not ended by a backquote.",
        ["S0106"] = "A comment is not ended.",
        ["S0201"] = "'{0}' is not expected here.",
        ["S0202"] = "'{1}' is expected instead of '{0}'.",
        ["S0203"] = "'{1}' is expected before the end.",
        ["S0204"] = "There is no operator '{0}'.",
        ["S0207"] = "The expression ends too early.",
        ["S0208"] = "Parameter '{0}' of a function is no variable name; it starts with $.",
        ["S0209"] = "A predicate cannot follow a grouping in a step.",
        ["S0210"] = "A step can have one grouping only.",
        ["S0211"] = "'{0}' cannot stand before an operand.",
        ["S0212"] = "The left side of := is no variable name; it starts with $.",
        ["S0213"] = "The literal {0} cannot be a step of a path.",
        ["S0214"] = "The right side of '{0}' is no variable name; it starts with $.",
        ["S0215"] = "A context variable has to be bound before the predicates of a step.",
        ["S0216"] = "A context variable has to be bound before the order of a step.",
        ["S0217"] = "The object that 'parent' stands for cannot be told from this expression.",
        ["S0301"] = "A regular expression is empty.",
        ["S0302"] = "A regular expression is not ended by /.",
        ["S0303"] = "The regular expression is not valid: {0}",
        ["S0401"] = "Only functions and arrays have type parameters in a signature.",
        ["S0402"] = "A choice of types with type parameters is not supported in a signature.",
        ["T0410"] = "Argument {0} does not match the function's signature.",
        ["T0411"] = "The context is no value for argument {0} of the function.",
        ["T0412"] = "Argument {0} has to be an array of {1}.",
        ["D1001"] = "Number out of range: {0}",
        ["D1002"] = "Only a number can be negated.",
        ["T1003"] = "The key of an object's member is no string.",
        ["D1004"] = "The regular expression matches an empty string.",
        ["T1005"] = "What is called is no function. Is ${0} meant?",
        ["T1006"] = "What is called is no function.",
        ["T1007"] = "What is partially applied is no function. Is ${0} meant?",
        ["T1008"] = "What is partially applied is no function.",
        ["D1009"] = "Several members of an object have the key \"{0}\".",
        ["T1010"] = "The matcher's result has not the members that a match has.",
        ["T2001"] = "The left side of '{0}' is no number.",
        ["T2002"] = "The right side of '{0}' is no number.",
        ["T2003"] = "The left side of '..' is no whole number.",
        ["T2004"] = "The right side of '..' is no whole number.",
        ["T2006"] = "The right side of '~>' is no function.",
        ["T2007"] = "Values of different types cannot be ordered.",
        ["T2008"] = "What is ordered by is neither a number nor a string.",
        ["T2009"] = "The two sides of '{0}' are of different types.",
        ["T2010"] = "A side of '{0}' is neither a number nor a string.",
        ["T2011"] = "The update of a transform is no object.",
        ["T2012"] = "The delete clause of a transform is neither a string nor an array of strings.",
        ["T2013"] = "A transform needs $clone, which is bound to something that is no function.",
        ["D2014"] = "A range of {0} numbers is too long; 10000000 is the most.",
        ["D3001"] = "Infinity and NaN have no text.",
        ["D3010"] = "The pattern to replace is empty.",
        ["D3011"] = "The limit of replacements is negative.",
        ["D3012"] = "The replacement of a match is no string.",
        ["D3020"] = "The limit of parts is negative.",
        ["D3030"] = "No number: {0}",
        ["D3040"] = "The limit of matches is negative.",
        ["D3050"] = "The function to reduce with takes fewer than two arguments.",
        ["D3060"] = "A negative number has no square root: {0}",
        ["D3061"] = "The power is out of range.",
        ["D3070"] = "Without a comparison only arrays of numbers or of strings can be sorted.",
        ["D3080"] = "A picture has more than two parts.",
        ["D3081"] = "A picture has more than one decimal separator.",
        ["D3082"] = "A picture has more than one percent sign.",
        ["D3083"] = "A picture has more than one per-mille sign.",
        ["D3084"] = "A picture has both a percent and a per-mille sign.",
        ["D3085"] = "A picture has no digit.",
        ["D3086"] = "A picture has a passive character between active ones.",
        ["D3087"] = "A picture has a grouping separator beside the decimal separator.",
        ["D3088"] = "A picture has a grouping separator at the end of its whole part.",
        ["D3089"] = "A picture has two grouping separators side by side.",
        ["D3090"] = "In a picture's whole part an optional digit follows a mandatory one.",
        ["D3091"] = "In a picture's fraction a mandatory digit follows an optional one.",
        ["D3092"] = "A picture has both an exponent and a percent or per-mille sign.",
        ["D3093"] = "A picture's exponent has something other than mandatory digits.",
        ["D3100"] = "The radix {0} is not from 2 to 36.",
        ["D3110"] = "No timestamp of ISO 8601: {0}",
        ["D3120"] = "The expression given to $eval does not compile: {0}",
        ["D3121"] = "The expression given to $eval failed: {0}",
        ["D3130"] = "A sequence that starts with {0} is not supported.",
        ["D3131"] = "The digits of a picture are of different groups.",
        ["D3132"] = "There is no date component '{0}'.",
        ["D3133"] = "Date component '{0}' has no name.",
        ["D3134"] = "A time zone's picture has more than four digits.",
        ["D3135"] = "A date picture has a '[' without its ']'.",
        ["D3136"] = "The picture lacks components that the timestamp needs.",
        ["D3138"] = "More than one value matches.",
        ["D3139"] = "No value matches.",
        ["D3140"] = "Malformed URL passed to ${0}(): \"{1}\"",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static JsonataException Of(string code, params ReadOnlySpan<object?> inserts) =>
        new(code, Message(code, inserts));

    public static JsonataException At(int position, string code, string? token = null,
        params ReadOnlySpan<object?> inserts) =>
        new(code, inserts.Length == 0 ? Message(code, token) : Message(code, inserts), position, token);

    public static JsonataException OutOfRange(double value) => Of("D1001", NumberFormat.Shortest(value));

    private static string Message(string code, params ReadOnlySpan<object?> inserts) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture, _meanings[code], Padded(inserts));

    private static object?[] Padded(ReadOnlySpan<object?> inserts)
    {
        var padded = new object?[Math.Max(2, inserts.Length)];
        inserts.CopyTo(padded);
        return padded;
    }
}
