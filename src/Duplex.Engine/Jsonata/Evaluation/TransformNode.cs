using Duplex.Engine.Jsonata.Functions;
using Duplex.Engine.Jsonata.Parsing;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>A function that copies its argument with changes where a pattern matches.</summary>
internal sealed class TransformNode(int position, Node pattern, Node update, Node? deletion) : Node(position)
{
    private static readonly Signature _signature = Signature.Parse("<(oa):o>", 0);

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) =>
        Value.Of(new Transform(this, frame));

    private Value Run(in Value argument, Frame frame, EvaluationRun run)
    {
        if (argument.IsUndefined)
            return argument;
        var clone = frame.Lookup("clone");
        if (!clone.IsFunction)
            throw Errors.At(Position, "T2013");
        var result = Invocation.Apply(clone.Function, [argument], Value.Null, frame, run);
        var matches = pattern.Evaluate(result, frame, run);
        if (matches.IsUndefined)
            return result;
        var items = Sequences.ItemsOf(matches);
        for (int i = 0; i < items.Count; i++)
        {
            Update(items[i], frame, run);
            if (deletion is not null)
                Delete(deletion, items[i], frame, run);
        }
        return result;
    }

    private void Update(in Value match, Frame frame, EvaluationRun run)
    {
        var changes = update.Evaluate(match, frame, run);
        if (changes.IsUndefined)
            return;
        if (changes.Kind != ValueKind.Object)
            throw Errors.At(update.Position, "T2011");
        if (!IsOwn(match))
            return;
        foreach (var (name, value) in changes.Object.Members)
        {
            run.Step();
            match.Object.Set(name, value);
        }
    }

    private static void Delete(Node deletion, in Value match, Frame frame, EvaluationRun run)
    {
        var names = deletion.Evaluate(match, frame, run);
        if (names.IsUndefined)
            return;
        var items = Sequences.ItemsOf(names);
        if (!Sequences.IsArrayOf(Value.Of(items), ValueKind.String))
            throw Errors.At(deletion.Position, "T2012");
        if (!IsOwn(match))
            return;
        for (int i = 0; i < items.Count; i++)
        {
            run.Steps(match.Object.Members.Count);
            match.Object.Remove(items[i].Text);
        }
    }

    /// <summary>The input never changes, even where a pattern reaches into it.</summary>
    private static bool IsOwn(in Value match) => match.Kind == ValueKind.Object && !match.Object.IsElement;

    private sealed class Transform(TransformNode node, Frame scope) : FunctionValue
    {
        public override int Arity => 1;

        public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run) =>
            node.Run(_signature.Validate(arguments, context, run)[0], scope, run);
    }
}
