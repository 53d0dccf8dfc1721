using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Evaluation;

/// <summary>A call of a function.</summary>
internal sealed class CallNode(int position, Node procedure, Node[] arguments) : Node(position)
{
    private bool _isTail;

    public Node Procedure => procedure;

    /// <summary>The name that is called, for messages.</summary>
    public string? Name => NameOf(procedure);

    public static string? NameOf(Node procedure) => procedure switch
    {
        VariableNode variable => variable.Name,
        PathNode { Steps: [NameNode name, ..] } => name.Name,
        _ => null,
    };

    public override void MarkTail() => _isTail = IsBare;

    /// <summary>Calls it with a value in front of the arguments that are written.</summary>
    public Value CallWith(in Value first, in Value input, Frame frame, EvaluationRun run) =>
        Finish(Call(first, 1, input, frame, run), frame, run);

    public Value[] Arguments(int leading, in Value input, Frame frame, EvaluationRun run)
    {
        var values = new Value[leading + arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
            values[leading + i] = arguments[i].Evaluate(input, frame, run);
        return values;
    }

    /// <summary>The function that is called; an error if it is none.</summary>
    public FunctionValue Callee(in Value input, Frame frame, EvaluationRun run)
    {
        var callee = procedure.Evaluate(input, frame, run);
        if (callee.IsFunction)
            return callee.Function;
        bool isMisnamed = callee.IsUndefined && procedure is PathNode && !frame.Lookup(Name ?? "").IsUndefined;
        throw Errors.At(Position, isMisnamed ? "T1005" : "T1006", Name);
    }

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run) =>
        _isTail ? Value.Of(new TailCall(this, input, frame)) : Call(default, 0, input, frame, run);

    private Value Call(in Value first, int leading, in Value input, Frame frame, EvaluationRun run)
    {
        var callee = procedure.Evaluate(input, frame, run);
        if (!callee.IsFunction && callee.IsUndefined && procedure is PathNode)
            Callee(input, frame, run);
        var values = Arguments(leading, input, frame, run);
        if (leading > 0)
            values[0] = first;
        if (!callee.IsFunction)
            throw Errors.At(Position, "T1006", Name);
        try
        {
            return Invocation.Apply(callee.Function, values, input, frame, run);
        }
        catch (JsonataException e) when (e.Locate(Position, Name))
        {
            throw;
        }
    }
}

/// <summary>A call that a function ends with, made by whoever called that function.</summary>
internal sealed class TailCall(CallNode call, Value input, Frame frame) : FunctionValue
{
    public override int Arity => 0;

    public Value MakeOnce(in Value context, EvaluationRun run)
    {
        var callee = call.Callee(input, frame, run);
        var arguments = call.Arguments(0, input, frame, run);
        try
        {
            return callee.Invoke(arguments, context, frame, run);
        }
        catch (JsonataException e) when (e.Locate(call.Position, call.Name))
        {
            throw;
        }
    }

    public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run) =>
        MakeOnce(context, run);
}

/// <summary>How functions are run.</summary>
internal static class Invocation
{
    /// <summary>Runs a function to its end, the calls that it ends with included.</summary>
    public static Value Apply(FunctionValue function, Value[] arguments, in Value context, Frame frame,
        EvaluationRun run)
    {
        var result = function.Invoke(arguments, context, frame, run);
        while (result.IsFunction && result.Function is TailCall tail)
        {
            run.Step();
            result = tail.MakeOnce(context, run);
        }
        return result;
    }

    /// <summary>Runs a function that was handed over, with as many of the arguments as it takes.</summary>
    public static Value Pass(FunctionValue function, in CallSite site, in Value first, in Value second,
        in Value third)
    {
        Value[] arguments = function.Arity switch
        {
            >= 3 => [first, second, third],
            2 => [first, second],
            _ => [first],
        };
        return Apply(function, arguments, Value.Null, site.Frame, site.Run);
    }
}

/// <summary>Where a function of the library is called.</summary>
internal readonly struct CallSite(Value context, Frame frame, EvaluationRun run)
{
    public Value Context { get; } = context;

    public Frame Frame { get; } = frame;

    public EvaluationRun Run { get; } = run;
}

/// <summary>Some arguments of a call; the others come later.</summary>
internal sealed class PartialNode(int position, Node procedure, Node?[] arguments) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var values = new Value[arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
            values[i] = arguments[i]?.Evaluate(input, frame, run) ?? Value.Undefined;
        var callee = procedure.Evaluate(input, frame, run);
        if (callee.IsFunction)
        {
            run.ChargeItems(arguments.Length);
            return Value.Of(new PartialFunction(callee.Function, values, [.. arguments.Select(a => a is null)]));
        }
        string? name = CallNode.NameOf(procedure);
        bool isMisnamed = callee.IsUndefined && procedure is PathNode && !frame.Lookup(name ?? "").IsUndefined;
        throw Errors.At(Position, isMisnamed ? "T1007" : "T1008", name);
    }

    private sealed class PartialFunction(FunctionValue function, Value[] values, bool[] isOpen) : FunctionValue
    {
        public override int Arity { get; } = isOpen.Count(o => o);

        public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run)
        {
            run.Enter();
            run.Steps(values.Length);
            var filled = (Value[])values.Clone();
            int next = 0;
            for (int i = 0; i < filled.Length; i++)
            {
                if (isOpen[i] && next < arguments.Length)
                    filled[i] = arguments[next++];
            }
            var result = function.Invoke(filled, context, frame, run);
            run.Leave();
            return result;
        }
    }
}

/// <summary>A function that the expression defines.</summary>
internal sealed class LambdaNode(int position, string[] parameters, Parsing.Signature? signature, Node body)
    : Node(position)
{
    private const long ClosureBytes = 80;

    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        run.Charge(ClosureBytes);
        return Value.Of(new Closure(this, input, frame));
    }

    private sealed class Closure(LambdaNode lambda, Value input, Frame scope) : FunctionValue
    {
        public override int Arity => lambda.ParameterCount;

        public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run) =>
            lambda.Run(arguments, context, input, scope, run);
    }

    private int ParameterCount => parameters.Length;

    private Value Run(Value[] arguments, in Value context, in Value input, Frame scope, EvaluationRun run)
    {
        var values = signature is null ? arguments : signature.Validate(arguments, context, run);
        var frame = new Frame(scope);
        for (int i = 0; i < parameters.Length; i++)
            frame.Bind(parameters[i], i < values.Length ? values[i] : Value.Undefined);
        return body.Evaluate(input, frame, run);
    }
}

/// <summary>The right side applied to the left one, or both functions one after the other.</summary>
internal sealed class ApplyNode(int position, Node left, Node right) : Node(position)
{
    protected override Value Compute(in Value input, Frame frame, EvaluationRun run)
    {
        var value = left.Evaluate(input, frame, run);
        if (right is CallNode call)
            return call.CallWith(value, input, frame, run);
        var function = right.Evaluate(input, frame, run);
        if (!function.IsFunction)
            throw Errors.At(Position, "T2006", "~>");
        if (value.IsFunction)
            return Value.Of(new Chain(value.Function, function.Function));
        try
        {
            return Invocation.Apply(function.Function, [value], Value.Null, frame, run);
        }
        catch (JsonataException e) when (e.Locate(Position, CallNode.NameOf(right)))
        {
            throw;
        }
    }

    private sealed class Chain(FunctionValue first, FunctionValue second) : FunctionValue
    {
        public override int Arity => 1;

        public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run)
        {
            run.Enter();
            var argument = arguments.Length > 0 ? arguments[0] : Value.Undefined;
            var between = Invocation.Apply(first, [argument], context, frame, run);
            var result = Invocation.Apply(second, [between], context, frame, run);
            run.Leave();
            return result;
        }
    }
}
