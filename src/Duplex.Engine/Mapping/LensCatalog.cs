using System.Text.Json;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>The lenses by name.</summary>
internal static class LensCatalog
{
    private static readonly Dictionary<string, Func<LensRequest, Lens?>> Makers = new(
        ValueLenses.Makers.Concat(TimeLenses.Makers), StringComparer.Ordinal)
    {
        ["copy"] = static r => r.TakesNone() ? new CopyLens(r.Left) : null,
        ["lowercase"] = static r => r.TakesNone()
            ? new NormalizingLens("lowercase", static t => t.ToLowerInvariant(), static t =>
                t.IndexOfAnyInRange((byte)'A', (byte)'Z') < 0 && t.IndexOfAnyInRange((byte)0x80, (byte)0xFF) < 0)
                    : null,
        ["uppercase"] = static r => r.TakesNone()
            ? new NormalizingLens("uppercase", static t => t.ToUpperInvariant(), static t =>
                t.IndexOfAnyInRange((byte)'a', (byte)'z') < 0 && t.IndexOfAnyInRange((byte)0x80, (byte)0xFF) < 0)
                    : null,
        ["trim"] = static r => r.TakesNone()
            ? new NormalizingLens("trim", static t => t.Trim(), static t =>
                t.IsEmpty || (t[0] is > (byte)' ' and < 0x7F && t[^1] is > (byte)' ' and < 0x7F)) : null,
        ["empty_as_null"] = static r => r.TakesNone() ? new EmptyAsNullLens(r.Left) : null,
        ["absent_as_null"] = static r => r.TakesNone() ? new AbsentAsNullLens(r.Left) : null,
        ["prefix"] = static r => r.Text("\"eu-\"") is { } text ? new AffixLens("prefix", text, before: true) : null,
        ["suffix"] = static r => r.Text("\"@example.com\"") is { } text
            ? new AffixLens("suffix", text, before: false) : null,
        ["constant"] = Constant,
        ["default"] = Default,
        ["enum"] = EnumTable.Make,
    };

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => Makers.Keys;

    /// <summary>Makes a lens; null with <see cref="LensRequest.Problem"/> set. False when there is no lens of that
    /// name.</summary>
    public static bool TryMake(LensRequest request, out Lens? lens)
    {
        lens = null;
        if (!Makers.TryGetValue(request.Name, out var maker))
        {
            return false;
        }

        lens = maker(request);
        return true;
    }

    /// <summary>An argument in the form of a field: a number for a text field becomes its text, and the like.</summary>
    public static JsonElement Fit(JsonElement value, FieldKind kind) => kind switch
    {
        FieldKind.Text when value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False =>
            JsonText.String(value.GetRawText()),
        FieldKind.Integer or FieldKind.Number or FieldKind.UnixSeconds when value.ValueKind == JsonValueKind.String
            && ValueEquality.TryNumber(value, out var number) && number.ToText() is { } text => JsonElement.Parse(text),
        FieldKind.Boolean when value.ValueKind == JsonValueKind.String && value.ValueEquals("true"u8) =>
            JsonElement.Parse("true"),
        FieldKind.Boolean when value.ValueKind == JsonValueKind.String && value.ValueEquals("false"u8) =>
            JsonElement.Parse("false"),
        _ => value,
    };

    private static Lens? Constant(LensRequest request)
    {
        var toB = request.A.Paths.Count == 0;
        if (request.Argument.ValueKind == JsonValueKind.Undefined || (toB ? request.B : request.A).Paths.Count != 1
            || (!toB && request.B.Paths.Count > 0))
        {
            return request.Fail("A constant is a value for one field, and the other side has no path.",
                "Write - { b: metadata.source, via: { constant: shop } }");
        }

        var kind = toB ? request.B.Kind : request.A.Kind;
        return new ConstantLens(FieldValue.Of(Fit(request.Argument, kind)), toB, kind);
    }

    private static Lens? Default(LensRequest request)
    {
        if (!request.HasArgument)
        {
            return request.Fail("default needs a value.", "For example default: free, or default: { a: free, b: F }");
        }

        if (request.Argument.ValueKind != JsonValueKind.Object)
        {
            return new DefaultLens(Fit(request.Argument, request.Left), null, request.Left);
        }

        return request.HasOnly("a", "b")
            ? new DefaultLens(Side("b"), Side("a"), request.Left)
            : null;

        JsonElement? Side(string name) =>
            request.Option(name) is { ValueKind: not JsonValueKind.Undefined } value ? Fit(value, request.Left) : null;
    }
}

/// <summary><c>copy</c>: the value as it is.</summary>
internal sealed class CopyLens(FieldKind kind) : Lens
{
    public override string Name => "copy";

    public override FieldKind Left => kind;

    public override FieldKind Right => kind;

    protected override LensResult Forward(JsonElement value) => value;

    protected override LensResult Backward(JsonElement value) => value;
}
