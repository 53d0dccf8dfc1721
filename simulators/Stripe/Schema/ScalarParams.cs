using System.Globalization;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;

namespace Duplex.Simulators.Stripe.Schema;

/// <summary>A text of at most <paramref name="lengthMax"/> characters, perhaps one of a set.</summary>
internal sealed class TextParam(string name, int lengthMax = 5000) : Param(name)
{
    public IReadOnlyList<string>? Choices { get; init; }

    public bool Email { get; init; }

    /// <summary>Whether the text is stored in lower case, as currencies are.</summary>
    public bool Lowercase { get; init; }

    protected override JsonNode? Parse(FormNode node, string path)
    {
        var text = TextOf(node, path, "string");
        if (Lowercase)
        {
            text = text.ToLowerInvariant();
        }

        if (Choices is not null && !Choices.Contains(text))
        {
            throw StripeException.Invalid(null, $"Invalid {path}: must be one of {Listed(Choices)}", path);
        }

        if (LengthOf(text) > lengthMax)
        {
            throw StripeException.Invalid(
                null, $"Invalid string: {text[..12]}...; must be at most {lengthMax} characters", path);
        }

        if (Email && !LooksLikeEmail(text))
        {
            throw StripeException.Invalid("email_invalid", $"Invalid email address: {text}", path);
        }

        return JsonValue.Create(text);
    }

    private static bool LooksLikeEmail(string text)
    {
        var at = text.IndexOf('@');
        return at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.AsSpan().ContainsAny(" \t\r\n");
    }

    /// <summary>Length in characters as people count them: a surrogate pair is one.</summary>
    private static int LengthOf(string text)
    {
        var length = text.Length;
        foreach (var symbol in text)
        {
            length -= char.IsLowSurrogate(symbol) ? 1 : 0;
        }

        return length;
    }

    private static string Listed(IReadOnlyList<string> choices) =>
        choices.Count == 1 ? choices[0] : $"{string.Join(", ", choices.SkipLast(1))}, or {choices[^1]}";
}

/// <summary>A 64-bit whole number.</summary>
internal sealed class WholeParam(string name) : Param(name)
{
    public long Least { get; init; } = long.MinValue;

    public long Most { get; init; } = long.MaxValue;

    protected override JsonNode? Parse(FormNode node, string path)
    {
        var text = TextOf(node, path, "integer");
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            throw StripeException.Invalid("parameter_invalid_integer", $"Invalid integer: {text}", path);
        }

        if (number < Least || number > Most)
        {
            var bound = number < Least ? $"greater than or equal to {Least}" : $"less than or equal to {Most}";
            throw StripeException.Invalid("parameter_invalid_integer", $"This value must be {bound}.", path);
        }

        return JsonValue.Create(number);
    }
}

/// <summary>A decimal with at most twelve places, kept as text.</summary>
internal sealed class DecimalParam(string name) : Param(name)
{
    private const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    protected override JsonNode? Parse(FormNode node, string path)
    {
        var text = TextOf(node, path, "decimal");
        var point = text.IndexOf('.');
        if (!decimal.TryParse(text, Style, CultureInfo.InvariantCulture, out _)
            || (point >= 0 && text.Length - point - 1 > 12))
        {
            throw StripeException.Invalid(null, $"Invalid decimal: {text}; must have at most 12 decimal places", path);
        }

        return JsonValue.Create(text);
    }
}

/// <summary><c>true</c> or <c>false</c>.</summary>
internal sealed class FlagParam(string name) : Param(name)
{
    protected override JsonNode? Parse(FormNode node, string path) => TextOf(node, path, "boolean") switch
    {
        "true" or "1" => JsonValue.Create(true),
        "false" or "0" => JsonValue.Create(false),
        var text => throw StripeException.Invalid(null, $"Invalid boolean: {text}", path),
    };
}
