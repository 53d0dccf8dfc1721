using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping.Lenses;

/// <summary><c>constant</c>: writes one value to the side that has a path, whatever the other side's record
/// says.</summary>
internal sealed class ConstantLens(FieldValue value, bool toB, FieldKind kind) : Lens
{
    public override string Name => "constant";

    public override FieldKind Left => toB ? FieldKind.Any : kind;

    public override FieldKind Right => toB ? kind : FieldKind.Any;

    public override LensLoss ForwardLoss => toB ? LensLoss.Collapses : LensLoss.Impossible;

    public override LensLoss BackwardLoss => toB ? LensLoss.Impossible : LensLoss.Collapses;

    public override LensResult Forward(FieldValue given) =>
        toB ? value : LensResult.Failed("A constant has no way back.");

    public override LensResult Backward(FieldValue given) =>
        toB ? LensResult.Failed("A constant has no way back.") : value;

    protected override LensResult Forward(JsonElement given) => value;

    protected override LensResult Backward(JsonElement given) => value;
}

/// <summary>
/// <c>default</c>: gives a side a value where the other has none. Having none and having the default mean the same, so
/// the default is not carried back over nothing.
/// </summary>
internal sealed class DefaultLens(JsonElement? onB, JsonElement? onA, FieldKind kind) : Lens
{
    public override string Name => "default";

    public override FieldKind Left => kind;

    public override FieldKind Right => kind;

    public override LensLoss ForwardLoss => onB is null ? LensLoss.Exact : LensLoss.Collapses;

    public override LensLoss BackwardLoss => onA is null ? LensLoss.Exact : LensLoss.Collapses;

    public override LensResult Forward(FieldValue value) => Fill(value, onB);

    public override LensResult Backward(FieldValue value) => Fill(value, onA);

    protected override LensResult Forward(JsonElement value) => value;

    protected override LensResult Backward(JsonElement value) => value;

    private static LensResult Fill(FieldValue value, JsonElement? fallback) =>
        value.State is FieldState.Absent or FieldState.Null && fallback is { } given ? FieldValue.Of(given) : value;
}

/// <summary>
/// <c>enum</c>: a table from A's values to B's. A value outside of it fails the record unless the table has an entry
/// for all others: <c>"*": "*"</c> passes them as they are, except what the table would turn into another on its way
/// back; <c>"*": X</c> turns them into X.
/// </summary>
internal sealed class EnumLens : Lens
{
    private readonly (JsonElement A, JsonElement B)[] _pairs;
    private readonly JsonElement? _otherwise;
    private readonly bool _pass;
    private readonly FieldKind _left;
    private readonly FieldKind _right;

    public EnumLens((JsonElement A, JsonElement B)[] pairs, JsonElement? otherwise, bool pass, FieldKind left,
        FieldKind right)
    {
        (_pairs, _otherwise, _pass, _left, _right) = (pairs, otherwise, pass, left, right);
        var images = pairs.Select(static p => p.B).ToList();
        var unique = images.Where((b, i) => images.FindIndex(o => JsonElement.DeepEquals(o, b)) == i).Count();
        ForwardLoss = unique < images.Count || otherwise is not null ? LensLoss.Collapses : LensLoss.Exact;
        Samples = [.. pairs.Select(static p => p.A)];
        Images = otherwise is { } other ? [.. images, other] : images;
    }

    public override string Name => "enum";

    public override FieldKind Left => _left;

    public override FieldKind Right => _right;

    public override LensLoss ForwardLoss { get; }

    public override IReadOnlyList<JsonElement> Samples { get; }

    public override IReadOnlyList<JsonElement> Images { get; }

    public override string? Loss => ForwardLoss == LensLoss.Collapses
        ? "several of A's values become one of B's; that one comes back as the first of them" : null;

    public override bool IsAmbiguous => ForwardLoss == LensLoss.Collapses;

    protected override LensResult Forward(JsonElement value)
    {
        if (Find(value, _left, backwards: false) is { } image)
        {
            return image;
        }

        if (_pass && Find(value, _right, backwards: true) is not null)
        {
            return LensResult.Failed("A's value would come back as the entry of the table that B's value stands for.");
        }

        return _pass ? value : _otherwise is { } other
            ? other : LensResult.Failed("The table of the rule does not have A's value.");
    }

    protected override LensResult Backward(JsonElement value) =>
        Find(value, _right, backwards: true) is { } origin ? origin
        : _pass && Find(value, _left, backwards: false) is null ? value
        : LensResult.Failed("The table of the rule does not have B's value.");

    private JsonElement? Find(JsonElement value, FieldKind kind, bool backwards)
    {
        foreach (var (a, b) in _pairs)
        {
            if (ValueEquality.Same(kind, backwards ? b : a, value))
            {
                return backwards ? a : b;
            }
        }

        return null;
    }
}
