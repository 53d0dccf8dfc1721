using System.Text.Json;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>
/// Tries a two-way rule on generated values: what goes from a side to the other and comes back must mean the same
/// there. Finds chains whose lenses are each sound and together are not.
/// </summary>
internal static class RoundTripCheck
{
    private static readonly Dictionary<FieldKind, string[]> ByKind = new()
    {
        [FieldKind.Text] =
        [
            "\"\"", "\"a\"", "\"Ab c\"", "\" x \"", "\"äÖ\"", "\"1\"", "\"01.50\"", "\"2026-01-31\"",
                "\"2026-07-31T12:30:00.25+02:00\"",
            "\"true\"", "\"eur\"", "\"a b c\"", "\"[1]\"",
        ],
        [FieldKind.Integer] = ["0", "1", "-5", "1999", "123456789012345678901234567890"],
        [FieldKind.Number] = ["0", "1.5", "-0.01", "12.30", "1e3", "\"NaN\""],
        [FieldKind.Boolean] = ["true", "false"],
        [FieldKind.Date] = ["\"2026-01-31\"", "\"1970-01-01\"", "\"2024-02-29\""],
        [FieldKind.LocalTimestamp] = ["\"2026-01-31 12:00:00\"", "\"2026-07-31T00:30:00.123456\""],
        [FieldKind.Timestamp] =
            ["\"2026-01-31 12:00:00+00\"", "\"2026-10-25T00:30:00.5Z\"", "\"2026-10-25T01:30:00Z\""],
        [FieldKind.UnixSeconds] = ["0", "1767225600", "-1"],
        [FieldKind.Object] = ["{}", "{\"a\":1,\"b\":{\"c\":[1,null]}}"],
        [FieldKind.TextMap] = ["{}", "{\"a\":\"1\"}"],
        [FieldKind.List] = ["[]", "[\"a\",\"b\"]"],
    };

    /// <summary>The side on which a value does not come back, and the value; null when all do.</summary>
    public static (Side Side, string Sample)? Run(LensRule rule)
    {
        foreach (var side in new[] { Side.A, Side.B })
        {
            foreach (var sample in Samples(rule, side))
            {
                var value = FieldValue.Of(sample);
                if (rule.End(side).Refusal(value) is null && rule.TryMap(side, value, out var there, out _)
                    && !(rule.TryMap(side.Other(), there, out var back, out _) && rule.Same(side, value, back)))
                {
                    return (side, sample.GetRawText());
                }
            }
        }

        return null;
    }

    private static IEnumerable<JsonElement> Samples(LensRule rule, Side side)
    {
        var end = rule.End(side);
        if (end.Paths.Count == 1)
        {
            var own = (side == Side.A ? rule.Chain.FirstOrDefault() : rule.Chain.LastOrDefault()) is { } lens
                ? side == Side.A ? lens.Samples : lens.Images : [];
            return own.Concat(Of(end.Fields[0].Kind)).Append(JsonElement.Parse("null"));
        }

        var parts = end.Fields.Select(static f => Of(f.Kind).ToArray()).ToArray();
        var rows = parts.Length == 0 ? 0 : parts.Max(static p => p.Length);
        return Enumerable.Range(0, rows * rows).Select(i => JsonText.Array(
            [.. parts.Select((p, at) => FieldValue.Of(p[(at == 0 ? i % rows : i / rows) % p.Length]))]));
    }

    private static IEnumerable<JsonElement> Of(FieldKind kind) =>
        (kind == FieldKind.Any ? ByKind.Values.SelectMany(static s => s) : ByKind[kind])
            .Select(static s => JsonElement.Parse(s));
}
