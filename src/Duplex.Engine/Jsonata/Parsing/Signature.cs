using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Parsing;

/// <summary>
/// Which arguments a function takes, e.g. <c>&lt;s-nn?:s&gt;</c>: s string, n number, b boolean, l null, a array,
/// o object, f function, j any of JSON, x any; in parentheses a choice; then - (the context stands in), ? (may be left
/// out), + (one or more).
/// </summary>
internal sealed class Signature
{
    private const string Anything = "asnblfom";
    private const string AnyJson = "asnblom";

    private readonly List<Parameter> _parameters = [];

    /// <param name="Types">The symbols it takes, m (missing) among them.</param>
    /// <param name="Type">The symbol that was written.</param>
    private sealed record Parameter(string Types, char Type)
    {
        public string? Subtype { get; set; }

        public bool IsOptional { get; set; }

        public bool Repeats { get; set; }

        public bool TakesContext { get; set; }
    }

    public static Signature Parse(string text, int position)
    {
        var result = new Signature();
        Parameter? last = null;
        for (int i = 1; i < text.Length && text[i] != ':'; i++)
        {
            char c = text[i];
            switch (c)
            {
                case '-' when last is not null:
                    last.TakesContext = last.IsOptional = true;
                    break;
                case '?' when last is not null:
                    last.IsOptional = true;
                    break;
                case '+' when last is not null:
                    last.Repeats = true;
                    break;
                case '<':
                    if (last?.Type is not ('a' or 'f'))
                        throw Errors.At(position + i, "S0401");
                    int end = Closing(text, i, '<', '>');
                    last.Subtype = text[(i + 1)..end];
                    i = end;
                    break;
                case '(':
                    int close = Closing(text, i, '(', ')');
                    string choice = text[(i + 1)..close];
                    if (choice.Contains('<', StringComparison.Ordinal))
                        throw Errors.At(position + i, "S0402");
                    result._parameters.Add(last = new(choice + "m", '('));
                    i = close;
                    break;
                default:
                    if (Types(c) is { } types)
                        result._parameters.Add(last = new(types, c));
                    break;
            }
        }
        return result;
    }

    /// <summary>The arguments that the function gets for those that it is called with.</summary>
    public Value[] Validate(Value[] arguments, in Value context, EvaluationRun run)
    {
        if (IsExact(arguments))
            return arguments;
        run.Steps((long)(_parameters.Count + 1) * (arguments.Length + 1));
        var fits = Fits(arguments);
        if (!fits[0, 0])
            throw Errors.Of("T0410", Mismatch(arguments) + 1);
        var result = new List<Value>(_parameters.Count);
        int at = 0;
        for (int p = 0; p < _parameters.Count; p++)
        {
            var parameter = _parameters[p];
            int taken = Taken(parameter, p, at, arguments, fits);
            if (taken == 0)
                result.Add(parameter.TakesContext ? Context(parameter, context, at) : Value.Undefined);
            for (int end = at + taken; at < end; at++)
                result.Add(parameter.Type == 'a' ? AsArray(parameter, arguments[at], at) : arguments[at]);
        }
        return [.. result];
    }

    private static string? Types(char symbol) => symbol switch
    {
        's' or 'n' or 'b' or 'l' or 'o' => symbol + "m",
        'f' => "f",
        'j' => AnyJson,
        'a' or 'x' => Anything,
        _ => null,
    };

    private static int Closing(string text, int start, char open, char close)
    {
        int depth = 0;
        for (int i = start; i < text.Length; i++)
        {
            if (text[i] == open)
                depth++;
            else if (text[i] == close && --depth == 0)
                return i;
        }
        return text.Length - 1;
    }

    private static char Symbol(in Value value) => value.Kind switch
    {
        ValueKind.Null => 'l',
        ValueKind.Boolean => 'b',
        ValueKind.Number => 'n',
        ValueKind.String => 's',
        ValueKind.Array => 'a',
        ValueKind.Object => 'o',
        ValueKind.Function => 'f',
        _ => 'm',
    };

    private static bool Takes(Parameter parameter, in Value argument) =>
        parameter.Types.Contains(Symbol(argument), StringComparison.Ordinal);

    private bool IsExact(Value[] arguments)
    {
        if (arguments.Length != _parameters.Count)
            return false;
        for (int i = 0; i < arguments.Length; i++)
        {
            if (_parameters[i].Type == 'a' || !Takes(_parameters[i], arguments[i]))
                return false;
        }
        return true;
    }

    /// <summary>For each parameter and argument: whether from there on the arguments fit the parameters.</summary>
    private bool[,] Fits(Value[] arguments)
    {
        var fits = new bool[_parameters.Count + 1, arguments.Length + 1];
        fits[_parameters.Count, arguments.Length] = true;
        for (int p = _parameters.Count - 1; p >= 0; p--)
        {
            var parameter = _parameters[p];
            for (int a = arguments.Length; a >= 0; a--)
            {
                bool takes = a < arguments.Length && Takes(parameter, arguments[a]);
                fits[p, a] = takes && (fits[p + 1, a + 1] || parameter.Repeats && fits[p, a + 1])
                    || parameter.IsOptional && fits[p + 1, a];
            }
        }
        return fits;
    }

    private static int Taken(Parameter parameter, int p, int at, Value[] arguments, bool[,] fits)
    {
        int taken = 0;
        while (at + taken < arguments.Length && (taken == 0 || parameter.Repeats)
               && Takes(parameter, arguments[at + taken])
               && (fits[p + 1, at + taken + 1] || parameter.Repeats && fits[p, at + taken + 1]))
            taken++;
        return taken;
    }

    private int Mismatch(Value[] arguments)
    {
        int at = 0;
        foreach (var parameter in _parameters)
        {
            bool takes = at < arguments.Length && Takes(parameter, arguments[at]);
            if (!takes && !parameter.IsOptional)
                return at;
            at += takes ? 1 : 0;
            while (takes && parameter.Repeats && at < arguments.Length && Takes(parameter, arguments[at]))
                at++;
        }
        return at;
    }

    private static Value Context(Parameter parameter, in Value context, int index) =>
        Takes(parameter, context) ? context.Unwrapped : throw Errors.Of("T0411", index + 1);

    private static Value AsArray(Parameter parameter, in Value argument, int index)
    {
        if (argument.IsUndefined)
            return argument;
        bool isRight = parameter.Subtype is null
            || (argument.IsArray
                ? HasOnly(argument.Array, parameter.Subtype[0])
                : Symbol(argument) == parameter.Subtype[0]);
        if (!isRight)
            throw Errors.Of("T0412", index + 1, Plural(parameter.Subtype![0]));
        return argument.IsArray ? argument : Value.Of(ListArray.Single(argument));
    }

    private static bool HasOnly(ArrayValue array, char symbol)
    {
        if (array is RangeArray)
            return symbol == 'n';
        for (int i = 0; i < array.Count; i++)
        {
            if (Symbol(array[i]) != symbol)
                return false;
        }
        return true;
    }

    private static string Plural(char symbol) => symbol switch
    {
        'a' => "arrays",
        'b' => "booleans",
        'f' => "functions",
        'n' => "numbers",
        'o' => "objects",
        's' => "strings",
        _ => "values",
    };
}
