using System.Text.Json;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Functions;
using Duplex.Engine.Jsonata.Parsing;
using Duplex.Engine.Jsonata.Values;
using Duplex.Sdk;

namespace Duplex.Engine.Jsonata;

/// <summary>What compiling an expression gave.</summary>
/// <param name="Expression">The expression; null if it does not compile.</param>
/// <param name="Problem">Why it does not compile, for whoever wrote it; null if it does.</param>
/// <param name="Error">The same as JSONata's code and the position in the text; null if it compiles.</param>
public sealed record JsonataResult(JsonataExpression? Expression, Finding? Problem, JsonataError? Error);

/// <summary>
/// A JSONata expression (version 2 of the language). It is compiled once; any number of threads may evaluate it at the
/// same time. Nothing that it does reaches outside: no files, no network, no clock other than the one it is given.
/// </summary>
public sealed class JsonataExpression
{
    /// <summary>How deep arrays and objects that an expression makes may nest in its result.</summary>
    public const int ResultDepthMax = 400;

    private const int CharactersMax = 1 << 20;

    private readonly Node _root;

    private JsonataExpression(string text, Node root)
    {
        Text = text;
        _root = root;
    }

    /// <summary>The text that it was compiled from.</summary>
    public string Text { get; }

    /// <summary>Compiles an expression. Never throws, whatever the text is.</summary>
    public static JsonataResult Compile(string text)
    {
        try
        {
            if (text.Length > CharactersMax)
                throw JsonataException.Limit($"The expression has more than {CharactersMax} characters.");
            return new(new(text, Lowering.Lower(Parser.Parse(text))), null, null);
        }
        catch (JsonataException e)
        {
            var error = e.ToError();
            string place = error.Position is { } position ? $" (character {position} of the expression)" : "";
            var problem = new Finding(FindingSeverity.Error, "jsonata.syntax", null,
                $"The JSONata expression does not compile: {error.Code} {error.Message}{place}",
                "Correct the expression; its language is described at https://docs.jsonata.org.");
            return new(null, problem, error);
        }
    }

    /// <summary>Evaluates the expression. Never throws, whatever the expression and the input are.</summary>
    /// <param name="input">The context; default (undefined) if there is none. Its document has to outlive the
    /// result.</param>
    /// <param name="limits">What it may use.</param>
    /// <param name="bindings">Values of variables by their names without the dollar sign; null if there are
    /// none.</param>
    /// <param name="clock">Tells <c>$now()</c> and <c>$millis()</c>, and the time that the evaluation takes.</param>
    /// <param name="error">Why there is no result; null if there is one, even an undefined one.</param>
    public JsonataValue Evaluate(JsonElement input, JsonataLimits limits,
        IReadOnlyDictionary<string, JsonElement>? bindings, TimeProvider clock, out JsonataError? error)
    {
        try
        {
            var run = new EvaluationRun(limits, clock);
            var result = _root.Evaluate(Context(input, bindings, out var frame), frame, run).Unwrapped;
            while (result.IsFunction && result.Function is TailCall tail)
                result = tail.MakeOnce(Value.Null, run);
            ResultCheck.Check(result, 0, run);
            error = null;
            return new(result);
        }
        catch (JsonataException e)
        {
            error = e.ToError();
            return default;
        }
    }

    private static Value Context(JsonElement input, IReadOnlyDictionary<string, JsonElement>? bindings, out Frame frame)
    {
        frame = new(null);
        if (bindings is not null)
        {
            foreach (var (name, element) in bindings)
                frame.Bind(name, Value.Of(element));
        }
        var root = Value.Of(input);
        frame.Bind("$", root);
        return root.IsArray ? GeneralFunctions.Wrapped(root) : root;
    }
}

/// <summary>What a result may be so that it can be written.</summary>
internal static class ResultCheck
{
    public static void Check(in Value value, int depth, EvaluationRun run)
    {
        run.Step();
        if (value.Kind == ValueKind.Number)
        {
            if (!double.IsFinite(value.Number) && value.NumberText is null)
                throw Errors.OutOfRange(value.Number);
            return;
        }
        if (value.Kind is not (ValueKind.Array or ValueKind.Object))
            return;
        if (depth >= JsonataExpression.ResultDepthMax)
            throw JsonataException.Limit($"The result nests deeper than {JsonataExpression.ResultDepthMax} levels.");
        if (value.IsArray)
        {
            if (value.Array is ListArray list)
                list.Items.ForEach(item => Check(item, depth + 1, run));
            else
                run.Steps(value.Array is RangeArray ? value.Array.Count : 0);
            return;
        }
        if (value.Object.IsElement)
            return;
        foreach (var (_, member) in value.Object.Members)
            Check(member, depth + 1, run);
    }
}
