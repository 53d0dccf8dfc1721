using System.Text.RegularExpressions;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>A regular expression, which is a function that finds the first match in a string.</summary>
internal sealed class RegexFunction(Regex pattern, int position) : FunctionValue
{
    public override int Arity => 1;

    public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run)
    {
        if (arguments.Length == 0 || arguments[0].Kind != ValueKind.String)
            return Value.Undefined;
        string text = arguments[0].Text;
        return Find(text, 0, run) is { } match ? AsValue(text, match, run) : Value.Undefined;
    }

    /// <summary>The first match from a place on; null if there is none.</summary>
    public Match? Find(string text, int from, EvaluationRun run)
    {
        run.Steps(1 + text.Length / 64);
        _ = run.TimeLeft;
        try
        {
            var match = pattern.Match(text, from);
            return match.Success ? match : null;
        }
        catch (RegexMatchTimeoutException)
        {
            throw JsonataException.Limit(
                $"A regular expression takes longer than {pattern.MatchTimeout.TotalMilliseconds} ms for one search.");
        }
    }

    /// <summary>The match that follows another one. One that is empty would be followed by itself for ever.</summary>
    public Match? FindNext(string text, Match match, EvaluationRun run)
    {
        int from = match.Index + match.Length;
        if (from >= text.Length)
            return null;
        var next = Find(text, from, run);
        return next is { Length: 0 } ? throw Errors.At(position, "D1004") : next;
    }

    private Value AsValue(string text, Match match, EvaluationRun run)
    {
        run.Charge(256);
        var result = new ObjectValue();
        result.TryAdd("match", Value.Of(match.Value));
        result.TryAdd("start", Value.Of((double)match.Index));
        result.TryAdd("end", Value.Of((double)(match.Index + match.Length)));
        result.TryAdd("groups", Groups(match, run));
        result.TryAdd("next", Value.Of(new NextFunction(this, text, match)));
        return Value.Of(result);
    }

    public static Value Groups(Match match, EvaluationRun run)
    {
        var groups = new ListArray();
        run.ChargeItems(match.Groups.Count);
        for (int i = 1; i < match.Groups.Count; i++)
        {
            run.Charge(2L * match.Groups[i].Length);
            groups.Add(match.Groups[i].Success ? Value.Of(match.Groups[i].Value) : Value.Undefined);
        }
        return Value.Of(groups);
    }

    private sealed class NextFunction(RegexFunction regex, string text, Match match) : FunctionValue
    {
        public override int Arity => 0;

        public override Value Invoke(Value[] arguments, in Value context, Frame frame, EvaluationRun run) =>
            regex.FindNext(text, match, run) is { } next ? regex.AsValue(text, next, run) : Value.Undefined;
    }
}
