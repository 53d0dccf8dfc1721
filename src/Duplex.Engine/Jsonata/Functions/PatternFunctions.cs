using System.Globalization;
using System.Text;
using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

/// <summary>Functions that look for a string, a regular expression or whatever a function of the expression
/// finds.</summary>
internal static class PatternFunctions
{
    /// <param name="Text">What matches.</param>
    /// <param name="Start">Where it begins, in UTF-16 units.</param>
    /// <param name="End">Where it ends.</param>
    /// <param name="Groups">An array of what the groups match.</param>
    private sealed record Found(string Text, int Start, int End, Value Groups);

    public static Value Contains(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined || arguments[1].IsUndefined)
            return Value.Undefined;
        string text = arguments[0].Text;
        return Value.Of(arguments[1].IsFunction
            ? Matches(text, arguments[1].Function, site).Any()
            : text.Contains(arguments[1].Text, StringComparison.Ordinal));
    }

    public static Value Match(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        double limit = Limit(arguments[2], "D3040");
        var result = ListArray.Sequence();
        if (limit <= 0)
            return Value.Of(result);
        foreach (var found in Matches(arguments[0].Text, arguments[1].Function, site))
        {
            if (result.Count >= limit)
                break;
            site.Run.Charge(160);
            var match = new ObjectValue(3);
            match.TryAdd("match", Value.Of(found.Text));
            match.TryAdd("index", Value.Of((double)found.Start));
            match.TryAdd("groups", found.Groups);
            result.Add(Value.Of(match));
        }
        return Value.Of(result);
    }

    public static Value Split(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        double limit = Limit(arguments[2], "D3020");
        string text = arguments[0].Text;
        var result = new ListArray();
        if (limit <= 0)
            return Value.Of(result);
        site.Run.Charge(2L * text.Length);
        if (arguments[1].IsFunction)
        {
            int start = 0;
            foreach (var found in Matches(text, arguments[1].Function, site))
            {
                if (result.Count >= limit)
                    break;
                Add(result, Between(text, start, found.Start), site.Run);
                start = found.End;
            }
            if (result.Count < limit)
                Add(result, Between(text, start, text.Length), site.Run);
            return Value.Of(result);
        }
        foreach (string part in Parts(text, arguments[1].IsUndefined ? null : arguments[1].Text))
        {
            if (result.Count >= Math.Truncate(limit))
                break;
            Add(result, part, site.Run);
        }
        return Value.Of(result);
    }

    public static Value Replace(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        if (arguments[1].Kind == ValueKind.String && arguments[1].Text.Length == 0)
            throw Errors.Of("D3010");
        double limit = Limit(arguments[3], "D3011");
        string text = arguments[0].Text;
        if (limit <= 0 || arguments[1].IsUndefined)
            return arguments[0];
        return Value.Of(arguments[1].IsFunction
            ? ReplaceMatches(text, arguments[1].Function, arguments[2], limit, site)
            : ReplaceText(text, arguments[1].Text, arguments[2], limit, site.Run));
    }

    private static double Limit(in Value argument, string code)
    {
        if (argument.IsUndefined)
            return double.PositiveInfinity;
        return argument.Number < 0 ? throw Errors.Of(code) : argument.Number;
    }

    private static void Add(ListArray target, string part, EvaluationRun run)
    {
        run.Step();
        run.ChargeItems(1);
        target.Add(Value.Of(part));
    }

    private static string Between(string text, int start, int end)
    {
        start = Math.Clamp(start, 0, text.Length);
        return text[start..Math.Clamp(end, start, text.Length)];
    }

    /// <summary>The parts around a separator; with an empty one, the characters.</summary>
    private static IEnumerable<string> Parts(string text, string? separator)
    {
        if (separator is null)
        {
            yield return text;
            yield break;
        }
        if (separator.Length == 0)
        {
            foreach (char c in text)
                yield return c.ToString();
            yield break;
        }
        int start = 0;
        for (int at; (at = text.IndexOf(separator, start, StringComparison.Ordinal)) >= 0; start = at + separator.Length)
            yield return text[start..at];
        yield return text[start..];
    }

    private static string ReplaceText(string text, string sought, in Value replacement, double limit, EvaluationRun run)
    {
        if (replacement.IsFunction)
            throw Errors.Of("D3012");
        string replaced = replacement.IsUndefined ? "undefined" : replacement.Text;
        var result = new StringBuilder();
        int start = 0;
        for (int count = 0; count < limit; count++)
        {
            int at = text.IndexOf(sought, start, StringComparison.Ordinal);
            if (at < 0)
                break;
            run.Step();
            run.Charge(2L * (at - start + replaced.Length));
            result.Append(text, start, at - start).Append(replaced);
            start = at + sought.Length;
        }
        return result.Append(text, start, text.Length - start).ToString();
    }

    private static string ReplaceMatches(string text, FunctionValue pattern, in Value replacement, double limit,
        in CallSite site)
    {
        var result = new StringBuilder();
        int start = 0;
        int count = 0;
        foreach (var found in Matches(text, pattern, site))
        {
            if (count++ >= limit)
                break;
            string replaced = replacement.IsFunction
                ? Computed(replacement.Function, found, site)
                : Substituted(replacement.IsUndefined ? "" : replacement.Text, found);
            site.Run.Charge(2L * (found.Start - start + replaced.Length));
            result.Append(Between(text, start, found.Start)).Append(replaced);
            start = found.Start + found.Text.Length;
        }
        return result.Append(Between(text, start, text.Length)).ToString();
    }

    private static string Computed(FunctionValue replacement, Found found, in CallSite site)
    {
        site.Run.Charge(200);
        var match = new ObjectValue(4);
        match.TryAdd("match", Value.Of(found.Text));
        match.TryAdd("start", Value.Of((double)found.Start));
        match.TryAdd("end", Value.Of((double)found.End));
        match.TryAdd("groups", found.Groups);
        var result = Invocation.Apply(replacement, [Value.Of(match)], Value.Null, site.Frame, site.Run);
        return result.Kind == ValueKind.String ? result.Text : throw Errors.Of("D3012");
    }

    /// <summary>The replacement with <c>$1</c> and so on in place of groups, <c>$0</c> of the match and <c>$$</c> of a
    /// dollar sign. As many digits count as the number of groups has, unless that names no group.</summary>
    private static string Substituted(string replacement, Found found)
    {
        int at = replacement.IndexOf('$', StringComparison.Ordinal);
        if (at < 0)
            return replacement;
        var groups = found.Groups.Array;
        int digitsMax = groups.Count.ToString(CultureInfo.InvariantCulture).Length;
        var result = new StringBuilder();
        int start = 0;
        for (; at >= 0 && at < replacement.Length; at = replacement.IndexOf('$', start))
        {
            result.Append(replacement, start, at - start);
            start = at + 1;
            char next = start < replacement.Length ? replacement[start] : '\0';
            if (next is '$' or '0')
            {
                result.Append(next == '$' ? "$" : found.Text);
                start++;
                continue;
            }
            var (group, digits) = GroupAt(replacement, start, digitsMax, groups.Count);
            if (digits == 0)
                result.Append('$');
            else if (group <= groups.Count && groups[group - 1].Kind == ValueKind.String)
                result.Append(groups[group - 1].Text);
            start += digits;
        }
        return result.Append(replacement, start, replacement.Length - start).ToString();
    }

    private static (int Group, int Digits) GroupAt(string text, int at, int digitsMax, int groups)
    {
        int digits = 0;
        while (digits < digitsMax && at + digits < text.Length && char.IsAsciiDigit(text[at + digits]))
            digits++;
        if (digits == 0)
            return (0, 0);
        int group = int.Parse(text.AsSpan(at, digits), CultureInfo.InvariantCulture);
        return digits > 1 && group > groups
            ? (int.Parse(text.AsSpan(at, digits - 1), CultureInfo.InvariantCulture), digits - 1)
            : (group, digits);
    }

    private static IEnumerable<Found> Matches(string text, FunctionValue pattern, CallSite site)
    {
        if (pattern is not RegexFunction regex)
        {
            foreach (var found in CustomMatches(text, pattern, site))
                yield return found;
            yield break;
        }
        for (var match = regex.Find(text, 0, site.Run); match is not null; match = regex.FindNext(text, match, site.Run))
        {
            site.Run.Charge(2L * match.Length);
            yield return new(match.Value, match.Index, match.Index + match.Length,
                RegexFunction.Groups(match, site.Run));
        }
    }

    /// <summary>Matches of a function that returns <c>{match, start, end, groups, next}</c>, where next is the function
    /// for the following match.</summary>
    private static IEnumerable<Found> CustomMatches(string text, FunctionValue pattern, CallSite site)
    {
        var result = Invocation.Apply(pattern, [Value.Of(text)], Value.Null, site.Frame, site.Run);
        while (!result.IsUndefined)
        {
            if (result.Kind != ValueKind.Object)
                throw Errors.Of("T1010");
            var match = result.Object;
            bool hasText = match.TryGet("match", out var matched);
            bool hasStart = match.TryGet("start", out var start);
            bool hasEnd = match.TryGet("end", out var end);
            bool hasGroups = match.TryGet("groups", out var groups);
            bool hasNext = match.TryGet("next", out var next);
            if (!hasText || matched.Kind != ValueKind.String || !hasStart || start.Kind != ValueKind.Number
                || !hasEnd || end.Kind != ValueKind.Number || !hasNext || !next.IsFunction)
                throw Errors.Of("T1010");
            yield return new(matched.Text, Place(start, text), Place(end, text),
                hasGroups && groups.IsArray ? groups : Value.Of(new ListArray()));
            result = Invocation.Apply(next.Function, [], Value.Null, site.Frame, site.Run);
        }
    }

    private static int Place(in Value place, string text) => (int)Math.Clamp(place.Number, 0, text.Length);
}
