using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Duplex.Engine.Mapping.Predicates;

/// <summary>A function of conditions.</summary>
/// <param name="ArgumentsMin">The fewest arguments.</param>
/// <param name="ArgumentsMax">The most arguments.</param>
/// <param name="Usage">How it is called, for messages.</param>
/// <param name="Apply">Its value. A text function of anything but a text is absent.</param>
internal sealed record PredicateFunction(
    int ArgumentsMin, int ArgumentsMax, string Usage, Func<PredicateValue[], PredicateValue> Apply);

/// <summary>The functions, with JSONata's names and meaning. Lengths and places count code points.</summary>
internal static class PredicateFunctions
{
    public static IReadOnlyDictionary<string, PredicateFunction> All { get; } =
        new Dictionary<string, PredicateFunction>(StringComparer.Ordinal)
        {
            ["$not"] = new(1, 1, "$not(condition)", static a =>
                a[0].Kind == JsonValueKind.Undefined ? a[0] : PredicateValue.Of(!a[0].Holds)),
            ["$boolean"] = new(1, 1, "$boolean(value)", static a => PredicateValue.Of(a[0].Holds)),
            ["$exists"] =
                new(1, 1, "$exists(path)", static a => PredicateValue.Of(a[0].Kind != JsonValueKind.Undefined)),
            ["$lowercase"] = new(1, 1, "$lowercase(text)", static a => OnText(a, static t => t.ToLowerInvariant())),
            ["$uppercase"] = new(1, 1, "$uppercase(text)", static a => OnText(a, static t => t.ToUpperInvariant())),
            ["$trim"] = new(1, 1, "$trim(text)", static a => OnText(a, static t => t.Trim())),
            ["$length"] = new(1, 1, "$length(text)", static a => a[0].Kind == JsonValueKind.String
                ? PredicateValue.Of(a[0].Text.EnumerateRunes().LongCount()) : PredicateValue.Absent),
            ["$contains"] = new(2, 2, "$contains(text, 'part')", static a =>
                a[0].Kind == JsonValueKind.String && a[1].Kind == JsonValueKind.String
                    ? PredicateValue.Of(a[0].Text.Contains(a[1].Text, StringComparison.Ordinal))
                        : PredicateValue.Absent),
            ["$substring"] = new(2, 3, "$substring(text, start, length)", Substring),
        };

    private static PredicateValue OnText(PredicateValue[] arguments, Func<string, string> function) =>
        arguments[0].Kind == JsonValueKind.String
            ? PredicateValue.Of(function(arguments[0].Text)) : PredicateValue.Absent;

    private static PredicateValue Substring(PredicateValue[] arguments)
    {
        if (arguments[0].Kind != JsonValueKind.String || !TryWhole(arguments[1], out var start)
            || (arguments.Length == 3 && !TryWhole(arguments[2], out _)))
        {
            return PredicateValue.Absent;
        }

        var runes = arguments[0].Text.EnumerateRunes().ToArray();
        start = start < 0 ? Math.Max(0, runes.Length + start) : Math.Min(start, runes.Length);
        var length = (long)runes.Length - start;
        if (arguments.Length == 3 && TryWhole(arguments[2], out var wanted))
        {
            length = Math.Clamp(wanted, 0, length);
        }

        return PredicateValue.Of(
            string.Concat(runes.AsSpan((int)start, (int)length).ToArray().Select(static r => r.ToString())));
    }

    private static bool TryWhole(PredicateValue value, out long whole)
    {
        whole = 0;
        return value.Kind == JsonValueKind.Number
            && ExactDecimal.TryParse(Encoding.ASCII.GetBytes(value.RawText), out var number)
            && long.TryParse(number.Round(Lenses.Rounding.Down).ToText(), NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture, out whole)
            && whole is > int.MinValue and < int.MaxValue;
    }
}
