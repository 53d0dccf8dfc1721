using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Parsing;

/// <summary>Makes the nodes that are evaluated of what was parsed: works out paths, their steps and parents.</summary>
internal sealed class Lowering
{
    private readonly Ancestry _ancestry = new();

    public static Node Lower(Syntax syntax)
    {
        var result = new Lowering().Node(syntax);
        if (result is ParentNode or { Seeking: not null })
            throw Errors.At(result.Position, "S0217", "parent");
        return result;
    }

    private Node Node(Syntax syntax)
    {
        if (!System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw JsonataException.Limit("The expression nests too deeply.");
        var result = Build(syntax);
        if (syntax.KeepsArray)
            result.KeepsArray = true;
        return result;
    }

    private Node Build(Syntax syntax)
    {
        int position = syntax.Position;
        switch (syntax.Kind)
        {
            case SyntaxKind.End:
                throw Errors.At(position, "S0207", syntax.Text);
            case SyntaxKind.Placeholder:
                throw Errors.At(position, "S0201", syntax.Text);
            case SyntaxKind.Name:
                return new PathNode(position)
                {
                    Steps = { new NameNode(position, syntax.Text) { KeepsArray = syntax.KeepsArray } },
                    KeepsSingletonArray = syntax.KeepsArray,
                };
            case SyntaxKind.Variable:
                return new VariableNode(position, syntax.Text);
            case SyntaxKind.String:
                return new LiteralNode(position, Value.Of(syntax.Text));
            case SyntaxKind.Number:
                return new NumberNode(position, syntax.Number);
            case SyntaxKind.Constant:
                return new LiteralNode(position, syntax.Text == "null" ? Value.Null : Value.Of(syntax.Text == "true"));
            case SyntaxKind.Regex:
                return new RegexNode(position, syntax.Pattern!);
            case SyntaxKind.Wildcard:
                return new WildcardNode(position);
            case SyntaxKind.Descendant:
                return new DescendantNode(position);
            case SyntaxKind.Parent:
                return new ParentNode(position, _ancestry.NewSlot());
            case SyntaxKind.Step:
                return Step(syntax);
            case SyntaxKind.Predicate:
                return Predicate(syntax);
            case SyntaxKind.Group:
                return Group(syntax);
            case SyntaxKind.Order:
                return Order(syntax);
            case SyntaxKind.Focus:
                return Focus(syntax);
            case SyntaxKind.Index:
                return Index(syntax);
            case SyntaxKind.Negate:
                return Negate(syntax);
            case SyntaxKind.Lambda:
                return Lambda(syntax);
            default:
                return Compound(syntax);
        }
    }

    /// <summary>Nodes that pass on the parents that their parts seek.</summary>
    private Node Compound(Syntax syntax)
    {
        int position = syntax.Position;
        var left = syntax.Left is null ? null : Node(syntax.Left);
        var right = syntax.Right is null ? null : Node(syntax.Right);
        var third = syntax.Third is null ? null : Node(syntax.Third);
        if (syntax.Kind == SyntaxKind.Partial)
            return Partial(syntax, left!);
        Node[] items = [.. syntax.Items.Select(Node)];
        Node result = syntax.Kind switch
        {
            SyntaxKind.Binary => Operator(syntax, left!, right!),
            SyntaxKind.Bind => new BindNode(position, syntax.Left!.Text, right!),
            SyntaxKind.Apply => new ApplyNode(position, left!, right!),
            SyntaxKind.Array => new ArrayNode(position, items),
            SyntaxKind.Object => new ObjectNode(position, Pairs(position, items)),
            SyntaxKind.Block => new BlockNode(position, items),
            SyntaxKind.Call => new CallNode(position, left!, items),
            SyntaxKind.Condition => new ConditionNode(position, left!, right!, third),
            SyntaxKind.Default => new FallbackNode(position, true, left!, right!),
            SyntaxKind.Coalesce => new FallbackNode(position, false, left!, right!),
            SyntaxKind.Transform => new TransformNode(position, left!, right!, third),
            _ => throw Errors.At(position, "S0201", syntax.Text),
        };
        if (syntax.Kind == SyntaxKind.Apply)
            result.KeepsArray = left!.KeepsArray || right!.KeepsArray;
        if (syntax.Kind == SyntaxKind.Block)
            result.IsConstructed = items.Any(i => i.IsConstructed || i is PathNode { Steps: [{ IsConstructed: true }, ..] });
        if (syntax.Kind == SyntaxKind.Transform)
            return result;
        foreach (var part in (ReadOnlySpan<Node?>)[syntax.Kind == SyntaxKind.Call ? null : left, right, third, .. items])
            Ancestry.PassOn(result, part);
        return result;
    }

    private static Node Operator(Syntax syntax, Node left, Node right)
    {
        int position = syntax.Position;
        return syntax.Text switch
        {
            "+" or "-" or "*" or "/" or "%" => new ArithmeticNode(position, syntax.Text[0], left, right),
            "=" or "!=" => new EqualityNode(position, syntax.Text == "!=", left, right),
            "<" or "<=" or ">" or ">=" => new ComparisonNode(position, syntax.Text, left, right),
            "and" or "or" => new BooleanNode(position, syntax.Text == "and", left, right),
            "&" => new ConcatenationNode(position, left, right),
            ".." => new RangeNode(position, left, right),
            _ => new MembershipNode(position, left, right),
        };
    }

    private static Grouping Pairs(int position, Node[] items) =>
        new(position, [.. items.Chunk(2).Select(pair => (pair[0], pair[1]))]);

    private Node Step(Syntax syntax)
    {
        var left = Node(syntax.Left!);
        var path = left as PathNode ?? new PathNode(syntax.Position) { Steps = { left } };
        if (left is ParentNode parent)
            path.Seeking = [parent.Slot];
        var right = Node(syntax.Right!);
        if (right is PathNode rest)
            path.Steps.AddRange(rest.Steps);
        else
        {
            if (right.Predicates is { } predicates)
            {
                right.Stages = [.. predicates.Select(p => new FilterStage(p))];
                right.Predicates = null;
            }
            path.Steps.Add(right);
        }
        NameLiterals(path);
        if (path.Steps.Exists(s => s.KeepsArray))
            path.KeepsSingletonArray = true;
        if (path.Steps[0] is ArrayNode first)
            first.IsConstructed = true;
        if (path.Steps[^1] is ArrayNode last)
            last.IsConstructed = true;
        Ancestry.Resolve(path);
        return path;
    }

    /// <summary>A string is a name where it is a step; other literals cannot be one.</summary>
    private static void NameLiterals(PathNode path)
    {
        for (int i = 0; i < path.Steps.Count; i++)
        {
            var step = path.Steps[i];
            if (step is NumberNode number)
                throw Errors.At(step.Position, "S0213", null, NumberFormat.Shortest(number.Number));
            if (step is not LiteralNode literal)
                continue;
            if (literal.Value.Kind != ValueKind.String)
                throw Errors.At(step.Position, "S0213", null, literal.Value.Kind == ValueKind.Null ? "null"
                    : literal.Value.IsTrue ? "true" : "false");
            path.Steps[i] = new NameNode(step.Position, literal.Value.Text)
            {
                KeepsArray = step.KeepsArray,
                Predicates = step.Predicates,
                Stages = step.Stages,
                Grouping = step.Grouping,
                Seeking = step.Seeking,
            };
        }
    }

    private Node Predicate(Syntax syntax)
    {
        var result = Node(syntax.Left!);
        var step = LastStep(result);
        if (step.Grouping is not null || result.Grouping is not null)
            throw Errors.At(syntax.Position, "S0209");
        var predicate = Node(syntax.Right!);
        Ancestry.ResolvePredicate(step, predicate);
        if (result is PathNode)
            (step.Stages ??= []).Add(new FilterStage(predicate));
        else
            (step.Predicates ??= []).Add(predicate);
        return result;
    }

    private Node Group(Syntax syntax)
    {
        var result = Node(syntax.Left!);
        if (result.Grouping is not null)
            throw Errors.At(syntax.Position, "S0210");
        result.Grouping = Pairs(syntax.Position, [.. syntax.Items.Select(Node)]);
        return result;
    }

    private Node Order(Syntax syntax)
    {
        var left = Node(syntax.Left!);
        var path = left as PathNode ?? new PathNode(syntax.Position) { Steps = { left } };
        Node[] terms = [.. syntax.Items.Select(Node)];
        var step = new OrderNode(syntax.Position, terms, [.. syntax.Descending]);
        foreach (var term in terms)
            Ancestry.PassOn(step, term);
        path.Steps.Add(step);
        Ancestry.Resolve(path);
        return path;
    }

    private Node Focus(Syntax syntax)
    {
        var result = Node(syntax.Left!);
        var step = LastStep(result);
        if (step.Stages is not null || step.Predicates is not null)
            throw Errors.At(syntax.Position, "S0215");
        if (step is OrderNode)
            throw Errors.At(syntax.Position, "S0216");
        step.KeepsArray |= syntax.KeepsArray;
        step.Focus = syntax.Right!.Text;
        step.MakesRows = true;
        return result;
    }

    private Node Index(Syntax syntax)
    {
        var result = Node(syntax.Left!);
        var step = LastStep(result);
        if (result is not PathNode)
        {
            result = new PathNode(syntax.Position) { Steps = { step } };
            step.Stages = step.Predicates?.ConvertAll<Stage>(p => new FilterStage(p));
            step.Predicates = null;
        }
        if (step.Stages is null)
            step.Index = syntax.Right!.Text;
        else
            step.Stages.Add(new IndexStage(syntax.Right!.Text));
        step.MakesRows = true;
        return result;
    }

    private static Node LastStep(Node node) => node is PathNode path ? path.Steps[^1] : node;

    private Node Negate(Syntax syntax)
    {
        var operand = Node(syntax.Left!);
        if (operand is NumberNode { Predicates: null, Grouping: null } number)
            return new NumberNode(number.Position, -number.Number) { KeepsArray = number.KeepsArray };
        var result = new NegationNode(syntax.Position, operand);
        Ancestry.PassOn(result, operand);
        return result;
    }

    private Node Lambda(Syntax syntax)
    {
        var body = Node(syntax.Right!);
        body.MarkTail();
        return new LambdaNode(syntax.Position, [.. syntax.Items.Select(p => p.Text)], syntax.Signature, body);
    }

    private Node Partial(Syntax syntax, Node procedure)
    {
        Node?[] arguments = [.. syntax.Items.Select(a => a.Kind == SyntaxKind.Placeholder ? null : Node(a))];
        var result = new PartialNode(syntax.Position, procedure, arguments);
        foreach (var argument in arguments)
            Ancestry.PassOn(result, argument);
        return result;
    }
}
