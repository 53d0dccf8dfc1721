using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>
/// Turns configured rules into rules that run, and checks them against both schemas in every direction in which the
/// sync carries them. Pure: asks nothing and stores nothing. Findings name the rule by its place in the configuration.
/// </summary>
public static class MappingCompiler
{
    /// <summary>Compiles a sync's mapping against the schemas of its two streams.</summary>
    public static CompiledMapping Compile(SyncModel sync, StreamSchema a, StreamSchema b)
    {
        ArgumentNullException.ThrowIfNull(sync);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        var findings = new List<Finding>();
        var rules = new List<(MappingRule Source, LensRule Rule)>();
        foreach (var source in sync.Mapping)
        {
            if (new RuleCompilation(source, a, b, findings).Compile() is { } rule)
            {
                rules.Add((source, rule));
            }
        }

        var broken = rules.Count < sync.Mapping.Count;
        MappingChecks.Run(sync, a, b, rules, broken, findings);
        return new CompiledMapping([.. rules.Select(static r => r.Rule)], findings);
    }

    /// <summary>What can be found without schemas: unknown lenses, wrong arguments, tables without a way back, rules in
    /// each other's way.</summary>
    public static IReadOnlyList<Finding> Check(SyncModel sync)
    {
        ArgumentNullException.ThrowIfNull(sync);
        return Compile(sync, Open(sync.A), Open(sync.B)).Findings;
    }

    private static StreamSchema Open(SyncSideModel side) => new(side.Stream, [], [], Open: true);
}

/// <summary>The compilation of one rule.</summary>
internal sealed class RuleCompilation(MappingRule source, StreamSchema a, StreamSchema b, List<Finding> findings)
{
    private const int LensesMax = 16;
    private bool _failed;

    /// <summary>The rule, or null with the reasons among the findings.</summary>
    public LensRule? Compile()
    {
        var endA = End(Side.A, source.A, a);
        var endB = End(Side.B, source.B, b);
        if (source.Via.Count > LensesMax)
        {
            Fail("mapping.bad_argument", $"The rule has more than {LensesMax} lenses.", "Shorten via.");
        }

        var chain = _failed ? [] : Chain(endA, endB);
        if (!_failed && (endA.Paths.Count == 0 || endB.Paths.Count == 0)
            && !chain.Exists(static l => l is ConstantLens))
        {
            var missing = endA.Paths.Count == 0 ? "a" : "b";
            Fail("mapping.one_sided", $"The rule has no {missing}.", $"Add {missing}:, or via: {{ constant: … }}.");
        }

        return _failed ? null : new LensRule(
            endA.Narrow(chain.FirstOrDefault()?.Left), endB.Narrow(chain.LastOrDefault()?.Right), [.. chain],
                source.OneWay);
    }

    private RuleEnd End(Side side, IReadOnlyList<FieldPath> paths, StreamSchema schema)
    {
        var fields = new List<PathSchema>();
        foreach (var path in paths)
        {
            if (!PathSchema.TryResolve(schema, path, out var found, out var candidates))
            {
                Fail("mapping.unknown_field", $"{side.Letter()}.{path} is not a field of {schema.Stream}.",
                    Spelling.Offer(path.Names[^1], candidates));
            }
            else if (found.Field is null && schema.Fields.Count > 0)
            {
                findings.Add(new Finding(FindingSeverity.Warning, "mapping.unknown_field", source.Path,
                    $"{Title}: {side.Letter()}.{path} is not a field of {schema.Stream} that its connector knows.",
                    Spelling.Nearest(path.Names[0], candidates) is { } near
                        ? $"Did you mean {near}?" : "Check its name."));
            }

            fields.Add(found);
        }

        return new RuleEnd(side, paths, fields);
    }

    private List<Lens> Chain(RuleEnd endA, RuleEnd endB)
    {
        var chain = new List<Lens>();
        var kind = endA.Kind;
        if (endA.Fields is [{ InTextMap: true }])
        {
            chain.Add(new EmptyAsNullLens(kind));
        }

        foreach (var spec in source.Via)
        {
            if (Make(spec, kind, endA, endB) is not { } lens)
            {
                return chain;
            }

            Join(chain, kind, lens.Left, lens.Name);
            chain.Add(lens);
            kind = lens.Right;
        }

        CheckPathCounts(endA, endB, chain);
        if (endB.Paths.Count == 1 && endA.Paths.Count > 0)
        {
            Join(chain, kind, endB.Kind, null);
        }

        if (endB.Fields is [{ InTextMap: true }])
        {
            if (kind == FieldKind.Any && endA.Paths.Count > 0)
            {
                chain.Add(new TextFormLens("text", FieldKind.Any));
            }

            chain.Add(new EmptyAsNullLens(FieldKind.Text));
        }

        return chain;
    }

    private Lens? Make(LensSpec spec, FieldKind left, RuleEnd endA, RuleEnd endB)
    {
        var request = new LensRequest(spec, left, endA, endB);
        if (!LensCatalog.TryMake(request, out var lens))
        {
            Fail("mapping.unknown_lens", $"There is no lens {Section.Shown(spec.Name)}.",
                Spelling.Offer(spec.Name, LensCatalog.Names));
        }
        else if (request.Problem is var (message, suggestion))
        {
            Fail("mapping.bad_argument", message, suggestion);
        }
        else if (request.Warning is var (warning, advice))
        {
            findings.Add(
                new Finding(FindingSeverity.Warning, "mapping.assumption", source.Path, $"{Title}: {warning}", advice));
        }

        return lens;
    }

    /// <summary>Puts in the conversion that two kinds demand.</summary>
    private void Join(List<Lens> chain, FieldKind left, FieldKind right, string? lens)
    {
        var conversion = Conversions.Between(left, right);
        if (conversion.Mismatch is { } mismatch)
        {
            Fail("mapping.type_mismatch", lens is null ? mismatch
                : $"{lens} takes {Conversions.Word(right)}, and what comes from A is {Conversions.Word(left)}.",
                conversion.Suggestion ?? "Use another lens.");
        }

        if (conversion.Risk is { } risk)
        {
            findings.Add(new Finding(FindingSeverity.Note, "mapping.converted", source.Path,
                $"{Title}: {Conversions.Word(left)} and {Conversions.Word(right)} are paired; {risk}."));
        }

        if (conversion.Lens is { } between)
        {
            chain.Add(between);
        }
    }

    private void CheckPathCounts(RuleEnd endA, RuleEnd endB, List<Lens> chain)
    {
        if ((endA.Paths.Count > 1 && chain.FirstOrDefault()?.Left != FieldKind.List)
            || (endB.Paths.Count > 1 && chain.LastOrDefault()?.Right != FieldKind.List))
        {
            Fail("mapping.path_count",
                "The rule names several fields on one side, and no lens of it joins or splits them.",
                "Add via: { join: \" \" } or via: { split: \" \" }, or write one rule per field.");
        }
    }

    private string Title => MappingChecks.Title(source);

    private void Fail(string code, string message, string suggestion)
    {
        _failed = true;
        findings.Add(new Finding(FindingSeverity.Error, code, source.Path, $"{Title}: {message}", suggestion));
    }
}
