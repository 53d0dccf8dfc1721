using System.Globalization;
using System.Text.Json;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Makes the lenses of money, of several fields and of other types.</summary>
internal static class ValueLenses
{
    private const int DigitsMax = 12;

    private static readonly Dictionary<string, Rounding> Roundings = new(StringComparer.Ordinal)
    {
        ["half_up"] = Rounding.HalfUp,
        ["half_even"] = Rounding.HalfEven,
        ["down"] = Rounding.Down,
    };

    /// <summary>The makers by name.</summary>
    public static IEnumerable<KeyValuePair<string, Func<LensRequest, Lens?>>> Makers { get; } =
    [
        new("minor_units", Money),
        new("split", static r => Separator(r) is { } text
            ? new SplitLens(text, r.B.Paths.Count > 1 ? r.B.Paths.Count : 0) : null),
        new("join", static r => Separator(r) is { } text
            ? new InverseLens(new SplitLens(text, r.A.Paths.Count > 1 ? r.A.Paths.Count : 0), "join") : null),
        new("text", static r => r.TakesNone() ? new TextFormLens("text", r.Left) : null),
        new("number", static r => r.TakesNone()
            ? new InverseLens(new TextFormLens("number", FieldKind.Number), "number") : null),
        new("integer", static r => r.TakesNone()
            ? new InverseLens(new TextFormLens("integer", FieldKind.Integer), "integer") : null),
        new("boolean", Truth),
        new("json", static r => r.TakesNone() ? new JsonLens(r.Left) : null),
        new("from_json", static r => r.TakesNone()
            ? new InverseLens(new JsonLens(r.B.Paths.Count == 1 ? r.B.Kind : FieldKind.Any), "from_json") : null),
        new("text_map", static r => r.TakesNone() ? new TextMapLens(r.Left) : null),
    ];

    private static string? Separator(LensRequest request) => request.Text("\" \"");

    private static Lens? Money(LensRequest request)
    {
        const string example =
            "For example minor_units: 2, minor_units: EUR, minor_units: { digits: 2, round: half_even }, "
            + "or with two fields on each side minor_units: by_currency.";
        var argument = request.Argument;
        var rounding = Rounding.Refuse;
        if (argument.ValueKind == JsonValueKind.Object)
        {
            if (!request.HasOnly("digits", "currency", "round"))
            {
                return null;
            }

            var round = request.Option("round");
            if (round.ValueKind != JsonValueKind.Undefined
                && !(JsonText.TryText(round, out var word) && Roundings.TryGetValue(word, out rounding)))
            {
                return request.Fail($"round must be one of {string.Join(", ", Roundings.Keys)}.", example);
            }

            argument = request.Option("digits") is { ValueKind: JsonValueKind.Number } digits
                ? digits : request.Option("currency");
        }

        if (request.A.Paths.Count == 2 && request.B.Paths.Count == 2)
        {
            return argument.ValueKind == JsonValueKind.Undefined || IsWord(argument, "by_currency")
                ? new CurrencyLens(rounding, request.A.Fields[0].Kind)
                : request.Fail("With amount and currency on each side, the currency decides the digits.", example);
        }

        if (!TryDigits(argument, out var count))
        {
            return request.Fail("minor_units needs the digits of the currency, or the currency.", example);
        }

        return request.Left is FieldKind.Number or FieldKind.Integer or FieldKind.Text or FieldKind.Any
            ? new MinorUnitsLens(count, rounding, request.Left)
            : request.Fail($"minor_units is for numbers, and what comes from A is {Conversions.Word(request.Left)}.",
                "A has the amount (19.99) and B the minor units (1999).");
    }

    private static bool TryDigits(JsonElement argument, out int digits)
    {
        digits = 0;
        return argument.ValueKind == JsonValueKind.Number
            ? int.TryParse(argument.GetRawText(), NumberStyles.None, CultureInfo.InvariantCulture, out digits)
                && digits <= DigitsMax
            : JsonText.TryText(argument, out var currency) && Currencies.TryDigits(currency, out digits);
    }

    private static Lens? Truth(LensRequest request)
    {
        const string example = "For example boolean: { true: yes, false: no }.";
        if (!request.HasArgument)
        {
            return new InverseLens(new TextFormLens("boolean", FieldKind.Boolean), "boolean");
        }

        if (request.Argument.ValueKind != JsonValueKind.Object || !request.HasOnly("true", "false"))
        {
            return request.Fail("boolean takes the words for true and false.", example);
        }

        var (yes, no) = (request.Option("true"), request.Option("false"));
        var fromTruth = request.Left == FieldKind.Boolean;
        var words = fromTruth ? request.B.Paths.Count == 1 ? request.B.Kind : FieldKind.Any : request.Left;
        if (!IsWord(yes) || !IsWord(no) || JsonElement.DeepEquals(yes, no))
        {
            return request.Fail("boolean takes a word for true and another for false.", example);
        }

        var table = new EnumLens(
            [(JsonElement.Parse("true"), LensCatalog.Fit(yes, words)),
                (JsonElement.Parse("false"), LensCatalog.Fit(no, words))],
            null, false, FieldKind.Boolean, words);
        return fromTruth ? table : new InverseLens(table, "boolean");
    }

    private static bool IsWord(JsonElement value, string? word = null) => word is null
        ? value.ValueKind is JsonValueKind.String or JsonValueKind.Number
        : value.ValueKind == JsonValueKind.String && value.ValueEquals(word);
}
