using System.Globalization;
using System.Text;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Links;

/// <summary>
/// Computes the text by which records of both sides are paired: the match fields in B's form, so that a lens between
/// them (a lower-cased e-mail) does not keep equal records apart.
/// </summary>
internal sealed class MatchKeys
{
    private readonly (FieldPath A, FieldPath B, CompiledRule? Rule)[] _fields;

    public MatchKeys(IReadOnlyList<MatchField> fields, IReadOnlyList<CompiledRule> rules) =>
        _fields = [.. fields.Select(f => (f.A, f.B,
            rules.FirstOrDefault(r => r.ShadowName(Side.A) == f.A.Text && r.ShadowName(Side.B) == f.B.Text)))];

    /// <summary>Whether records are paired at all.</summary>
    public bool Any => _fields.Length > 0;

    /// <summary>The match text of a record; null when one of its match fields is absent, null or empty, or cannot be
    /// mapped.</summary>
    public string? Of(Side side, JsonElement record)
    {
        if (_fields.Length == 0)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var (a, b, rule) in _fields)
        {
            if (!(side == Side.A ? a : b).TryFind(record, out var element)
                || Canonical(side, rule, element) is not { } part)
            {
                return null;
            }

            text.Append(part).Append('\u001f');
        }

        return text.ToString(0, text.Length - 1);
    }

    private static string? Canonical(Side side, CompiledRule? rule, JsonElement element)
    {
        var value = FieldValue.Of(element);
        if (value.State != FieldState.Present)
        {
            return null;
        }

        if (rule is not null && side == Side.B && rule.TryMap(Side.B, value, out var asA, out _)
            && asA.State == FieldState.Present && rule.TryMap(Side.A, asA, out var back, out _))
        {
            value = back;
        }
        else if (rule is not null && side == Side.A && rule.TryMap(Side.A, value, out var asB, out _))
        {
            value = asB;
        }

        return value.State == FieldState.Present ? Text(value.Element) : null;
    }

    private static string? Text(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString() is { Length: > 0 } text ? text : null,
        JsonValueKind.Number when element.TryGetDecimal(out var number) =>
            (number / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture),
        _ => element.GetRawText(),
    };
}
