using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Parsing;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>The code of a function of the library. It gets one argument for each parameter of its signature.</summary>
internal delegate Value LibraryCode(Value[] arguments, in CallSite site);

/// <summary>A function of the library.</summary>
internal sealed class LibraryFunction(string signature, int arity, LibraryCode code) : FunctionValue
{
    private readonly Signature _signature = Signature.Parse(signature, 0);

    public override int Arity => arity;

    public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run)
    {
        run.Step();
        run.GuardStack();
        return code(_signature.Validate(arguments, context, run), new(context, frame, run));
    }
}
