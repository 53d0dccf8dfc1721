using Duplex.Engine.Jsonata.Evaluation;
using Duplex.Engine.Jsonata.Parsing;
using Duplex.Engine.Jsonata.Values;

namespace Duplex.Engine.Jsonata.Functions;

internal static class GeneralFunctions
{
    public static Value Boolean(Value[] arguments, in CallSite site) =>
        arguments[0].IsUndefined ? arguments[0] : Value.Of(Logic.IsTrue(arguments[0], site.Run));

    public static Value Not(Value[] arguments, in CallSite site) =>
        arguments[0].IsUndefined ? arguments[0] : Value.Of(!Logic.IsTrue(arguments[0], site.Run));

    public static Value Exists(Value[] arguments, in CallSite site) => Value.Of(!arguments[0].IsUndefined);

    public static Value Type(Value[] arguments, in CallSite site) => arguments[0].Kind switch
    {
        ValueKind.Undefined => Value.Undefined,
        ValueKind.Null => Value.Of("null"),
        ValueKind.Number => Logic.IsNumber(arguments[0]) ? Value.Of("number") : throw Errors.OutOfRange(double.NaN),
        ValueKind.String => Value.Of("string"),
        ValueKind.Boolean => Value.Of("boolean"),
        ValueKind.Array => Value.Of("array"),
        ValueKind.Function => Value.Of("function"),
        _ => Value.Of("object"),
    };

    public static Value Error(Value[] arguments, in CallSite site) =>
        throw new JsonataException("D3137", Message(arguments[0], "$error() function evaluated"));

    public static Value Assert(Value[] arguments, in CallSite site)
    {
        if (arguments[0].Kind != ValueKind.Boolean || !arguments[0].IsTrue)
            throw new JsonataException("D3141", Message(arguments[1], "$assert() statement failed"));
        return Value.Undefined;
    }

    public static Value Eval(Value[] arguments, in CallSite site)
    {
        if (arguments[0].IsUndefined)
            return arguments[0];
        string text = arguments[0].Text;
        site.Run.Steps(text.Length);
        site.Run.Charge(16L * text.Length);
        Node node;
        try
        {
            node = Lowering.Lower(Parser.Parse(text));
        }
        catch (JsonataException e) when (e.Code != JsonataException.LimitCode)
        {
            throw Errors.Of("D3120", e.Message);
        }
        try
        {
            return node.Evaluate(Context(arguments[1], site.Context), site.Frame, site.Run);
        }
        catch (JsonataException e) when (e.Code != JsonataException.LimitCode)
        {
            throw Errors.Of("D3121", e.Message);
        }
    }

    private static Value Context(in Value given, in Value context)
    {
        if (given.IsUndefined)
            return context;
        return given.IsArray && !given.Array.IsSequence ? Wrapped(given) : given;
    }

    /// <summary>An input that is an array, as one item.</summary>
    public static Value Wrapped(in Value input)
    {
        var wrapper = new ListArray(1) { IsSequence = true, IsWrapper = true };
        wrapper.Add(input);
        return Value.Of(wrapper);
    }

    private static string Message(in Value given, string otherwise) =>
        given.Kind == ValueKind.String && given.Text.Length > 0 ? given.Text : otherwise;
}
