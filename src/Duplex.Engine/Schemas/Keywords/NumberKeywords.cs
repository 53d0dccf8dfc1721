using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>minimum</c>, <c>maximum</c> and their exclusive forms.</summary>
internal sealed class BoundKeyword(KeywordSite site, JsonElement bound) : Assertion(site, Kinds.Numbers)
{
    private readonly byte[] _bound = JsonMarshal.GetRawUtf8Value(bound).ToArray();
    private readonly long? _whole = NumberText.TryWhole(JsonMarshal.GetRawUtf8Value(bound), out var whole) ? whole : null;
    private readonly bool _isUpper = site.Name is "maximum" or "exclusiveMaximum";
    private readonly bool _isExclusive = site.Name is "exclusiveMinimum" or "exclusiveMaximum";

    public override bool IsValid(JsonElement instance)
    {
        var text = JsonMarshal.GetRawUtf8Value(instance);
        var order = _whole is { } known && NumberText.TryWhole(text, out var value)
            ? value.CompareTo(known)
            : NumberText.Compare(new NumberText(text), new NumberText(_bound));
        if (order == 0)
            return !_isExclusive;
        return _isUpper ? order < 0 : order > 0;
    }

    protected override string Message(JsonElement instance)
    {
        var breach = (_isUpper, _isExclusive) switch
        {
            (true, false) => "greater than the maximum",
            (false, false) => "less than the minimum",
            (true, true) => "greater than or equal to the maximum",
            _ => "less than or equal to the minimum",
        };
        return $"{PythonText.Of(instance)} is {breach} of {PythonText.Of(bound)}";
    }
}

/// <summary><c>multipleOf</c>.</summary>
internal sealed class MultipleOfKeyword(KeywordSite site, JsonElement divisor) : Assertion(site, Kinds.Numbers)
{
    private readonly Divisor _divisor = new(JsonMarshal.GetRawUtf8Value(divisor));

    public override bool IsValid(JsonElement instance) =>
        _divisor.Divides(new NumberText(JsonMarshal.GetRawUtf8Value(instance)));

    protected override string Message(JsonElement instance) =>
        $"{PythonText.Of(instance)} is not a multiple of {PythonText.Of(divisor)}";
}
