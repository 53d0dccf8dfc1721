using System.Collections.Frozen;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>All functions of the language by their names.</summary>
internal static class Library
{
    private static readonly FrozenDictionary<string, LibraryFunction> _functions = All()
        .ToFrozenDictionary(f => f.Name, f => f.Function, StringComparer.Ordinal);

    public static LibraryFunction? Find(string name) => _functions.GetValueOrDefault(name);

    private static IEnumerable<(string Name, LibraryFunction Function)> All() =>
    [
        .. Text(), .. Patterns(), .. Numbers(), .. Arrays(), .. Objects(), .. HigherOrder(), .. Dates(), .. General(),
    ];

    private static (string, LibraryFunction) Define(string name, string signature, int arity, LibraryCode code) =>
        (name, new(signature, arity, code));

    private static IEnumerable<(string, LibraryFunction)> Text() =>
    [
        Define("string", "<x-b?:s>", 1, TextFunctions.String),
        Define("substring", "<s-nn?:s>", 3, TextFunctions.Substring),
        Define("substringBefore", "<s-s:s>", 2, TextFunctions.SubstringBefore),
        Define("substringAfter", "<s-s:s>", 2, TextFunctions.SubstringAfter),
        Define("lowercase", "<s-:s>", 1, TextFunctions.Lowercase),
        Define("uppercase", "<s-:s>", 1, TextFunctions.Uppercase),
        Define("length", "<s-:n>", 1, TextFunctions.Length),
        Define("trim", "<s-:s>", 1, TextFunctions.Trim),
        Define("pad", "<s-ns?:s>", 3, TextFunctions.Pad),
        Define("join", "<a<s>s?:s>", 2, TextFunctions.Join),
        Define("base64encode", "<s-:s>", 1, EncodingFunctions.Base64Encode),
        Define("base64decode", "<s-:s>", 1, EncodingFunctions.Base64Decode),
        Define("encodeUrl", "<s-:s>", 1, EncodingFunctions.EncodeUrl),
        Define("encodeUrlComponent", "<s-:s>", 1, EncodingFunctions.EncodeUrlComponent),
        Define("decodeUrl", "<s-:s>", 1, EncodingFunctions.DecodeUrl),
        Define("decodeUrlComponent", "<s-:s>", 1, EncodingFunctions.DecodeUrlComponent),
    ];

    private static IEnumerable<(string, LibraryFunction)> Patterns() =>
    [
        Define("match", "<s-f<s:o>n?:a<o>>", 3, PatternFunctions.Match),
        Define("contains", "<s-(sf):b>", 2, PatternFunctions.Contains),
        Define("replace", "<s-(sf)(sf)n?:s>", 4, PatternFunctions.Replace),
        Define("split", "<s-(sf)n?:a<s>>", 3, PatternFunctions.Split),
    ];

    private static IEnumerable<(string, LibraryFunction)> Numbers() =>
    [
        Define("number", "<(nsb)-:n>", 1, NumberFunctions.Number),
        Define("abs", "<n-:n>", 1, NumberFunctions.Abs),
        Define("floor", "<n-:n>", 1, NumberFunctions.Floor),
        Define("ceil", "<n-:n>", 1, NumberFunctions.Ceil),
        Define("round", "<n-n?:n>", 2, NumberFunctions.Round),
        Define("sqrt", "<n-:n>", 1, NumberFunctions.Sqrt),
        Define("power", "<n-n:n>", 2, NumberFunctions.Power),
        Define("random", "<:n>", 0, NumberFunctions.Random),
        Define("sum", "<a<n>:n>", 1, NumberFunctions.Sum),
        Define("max", "<a<n>:n>", 1, NumberFunctions.Max),
        Define("min", "<a<n>:n>", 1, NumberFunctions.Min),
        Define("average", "<a<n>:n>", 1, NumberFunctions.Average),
        Define("formatBase", "<n-n?:s>", 2, NumberFunctions.FormatBase),
        Define("formatNumber", "<n-so?:s>", 3, NumberPicture.Format),
        Define("formatInteger", "<n-s:s>", 2, IntegerFunctions.FormatInteger),
        Define("parseInteger", "<s-s:n>", 2, IntegerFunctions.ParseInteger),
    ];

    private static IEnumerable<(string, LibraryFunction)> Arrays() =>
    [
        Define("count", "<a:n>", 1, ArrayFunctions.Count),
        Define("append", "<xx:a>", 2, ArrayFunctions.Append),
        Define("reverse", "<a:a>", 1, ArrayFunctions.Reverse),
        Define("shuffle", "<a:a>", 1, ArrayFunctions.Shuffle),
        Define("distinct", "<x:x>", 1, ArrayFunctions.Distinct),
        Define("sort", "<af?:a>", 2, ArrayFunctions.Sort),
        Define("zip", "<a+>", 0, ArrayFunctions.Zip),
    ];

    private static IEnumerable<(string, LibraryFunction)> Objects() =>
    [
        Define("keys", "<x-:a<s>>", 1, ObjectFunctions.Keys),
        Define("lookup", "<x-s:x>", 2, ObjectFunctions.Lookup),
        Define("spread", "<x-:a<o>>", 1, ObjectFunctions.Spread),
        Define("merge", "<a<o>:o>", 1, ObjectFunctions.Merge),
        Define("clone", "<(oa)-:o>", 1, ObjectFunctions.Clone),
    ];

    private static IEnumerable<(string, LibraryFunction)> HigherOrder() =>
    [
        Define("map", "<af>", 2, HigherOrderFunctions.Map),
        Define("filter", "<af>", 2, HigherOrderFunctions.Filter),
        Define("single", "<af?>", 2, HigherOrderFunctions.Single),
        Define("reduce", "<afj?:j>", 3, HigherOrderFunctions.Reduce),
        Define("each", "<o-f:a>", 2, HigherOrderFunctions.Each),
        Define("sift", "<o-f?:o>", 2, HigherOrderFunctions.Sift),
    ];

    private static IEnumerable<(string, LibraryFunction)> Dates() =>
    [
        Define("now", "<s?s?:s>", 2, DateFunctions.Now),
        Define("millis", "<:n>", 0, DateFunctions.Millis),
        Define("fromMillis", "<n-s?s?:s>", 3, DateFunctions.FromMillis),
        Define("toMillis", "<s-s?:n>", 2, DateFunctions.ToMillis),
    ];

    private static IEnumerable<(string, LibraryFunction)> General() =>
    [
        Define("boolean", "<x-:b>", 1, GeneralFunctions.Boolean),
        Define("not", "<x-:b>", 1, GeneralFunctions.Not),
        Define("exists", "<x:b>", 1, GeneralFunctions.Exists),
        Define("type", "<x:s>", 1, GeneralFunctions.Type),
        Define("error", "<s?:x>", 1, GeneralFunctions.Error),
        Define("assert", "<bs?:x>", 2, GeneralFunctions.Assert),
        Define("eval", "<sx?:x>", 2, GeneralFunctions.Eval),
    ];
}
