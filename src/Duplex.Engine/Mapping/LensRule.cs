using System.Text.Json;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>A rule as a chain of lenses between its two ends.</summary>
internal sealed class LensRule : CompiledRule
{
    private readonly RuleEnd _a;
    private readonly RuleEnd _b;
    private readonly Lens[] _chain;
    private readonly Side? _only;
    private readonly bool _collapses;

    public LensRule(RuleEnd a, RuleEnd b, Lens[] chain, Side? only)
    {
        (_a, _b, _chain) = (a, b, chain);
        _only = only ?? (chain.Any(static l => l.BackwardLoss == LensLoss.Impossible) ? Side.A
            : chain.Any(static l => l.ForwardLoss == LensLoss.Impossible) ? Side.B : null);
        Name = a.Paths.Count > 0 ? a.ShadowName : b.ShadowName;
        _collapses = chain.Any(static l => l.ForwardLoss == LensLoss.Collapses || l.BackwardLoss == LensLoss.Collapses);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>The lenses from A to B, with the conversions that the kinds of the fields demand.</summary>
    public IReadOnlyList<Lens> Chain => _chain;

    /// <summary>The rule's end on a side.</summary>
    public RuleEnd End(Side side) => side == Side.A ? _a : _b;

    /// <inheritdoc/>
    public override string ShadowName(Side side) => End(side).ShadowName;

    /// <inheritdoc/>
    public override bool Flows(Side from) => _only is null || _only == from;

    /// <inheritdoc/>
    public override FieldValue Read(Side side, JsonElement record, IReadOnlyList<string> unchanged) =>
        End(side).Read(record, unchanged);

    /// <inheritdoc/>
    public override bool TryMap(Side from, FieldValue value, out FieldValue mapped, out string? problem)
    {
        mapped = FieldValue.Unchanged;
        problem = null;
        if (value.State == FieldState.Unchanged && End(from).Paths.Count > 0)
        {
            return true;
        }

        if (_chain.Length == 0)
        {
            mapped = value;
        }
        else if (!TryRun(from, value, out mapped, out problem))
        {
            mapped = FieldValue.Absent;
            problem = $"{Name}: {problem}";
            return false;
        }

        if (mapped.State == FieldState.Present && mapped.Made is null && !JsonText.IsUnicode(mapped.Element))
        {
            mapped = FieldValue.Absent;
            problem = $"{Name}: The value holds half of a character.";
            return false;
        }

        if (End(from.Other()).Refusal(mapped) is { } refusal)
        {
            mapped = FieldValue.Absent;
            problem = $"{Name}: {refusal}";
            return false;
        }

        return true;
    }

    /// <summary>
    /// Two values are the same when they are by kind, or when the rule makes one value of both, there or there and
    /// back: what a lens evens out (case, white space, fractions of a second) is no difference, so neither side's own
    /// form is overwritten by the other's.
    /// </summary>
    public override bool Same(Side side, FieldValue left, FieldValue right)
    {
        var end = End(side);
        if (end.Paths.Count == 0 || end.Same(left, right))
        {
            return true;
        }

        if (!_collapses || left.State == FieldState.Unchanged || right.State == FieldState.Unchanged
            || !TryRun(side, left, out var l, out _) || !TryRun(side, right, out var r, out _))
        {
            return false;
        }

        var other = side.Other();
        return End(other).Same(l, r)
            || (TryRun(other, l, out var backL, out _) && TryRun(other, r, out var backR, out _)
                && end.Same(backL, backR));
    }

    /// <inheritdoc/>
    public override void Write(Side side, FieldValue value, RecordBuilder target) => End(side).Write(value, target);

    private bool TryRun(Side from, FieldValue value, out FieldValue mapped, out string? problem)
    {
        mapped = value;
        problem = null;
        try
        {
            for (var i = 0; i < _chain.Length && problem is null; i++)
            {
                var result = from == Side.A
                    ? _chain[i].Forward(mapped) : _chain[_chain.Length - 1 - i].Backward(mapped);
                (mapped, problem) = (result.Value, result.Problem);
            }
        }
        catch (InvalidOperationException)
        {
            // JSON may escape half of a surrogate pair; whoever asks such a text for its characters gets this.
            problem = "The value holds half of a character.";
        }

        return problem is null;
    }
}
