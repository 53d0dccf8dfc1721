using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas.Keywords;

/// <summary><c>type</c>.</summary>
internal sealed class TypeKeyword : Assertion
{
    private readonly string[] _names;
    private readonly int _kinds;
    private readonly bool _onlyWhole;

    public TypeKeyword(KeywordSite site, string[] names)
        : base(site, Kinds.All)
    {
        _names = names;
        foreach (var name in names)
            _kinds |= KindsOf(name);
        _onlyWhole = names.Contains("integer") && !names.Contains("number");
    }

    /// <summary>The types that there are.</summary>
    public static IReadOnlyList<string> Types { get; } =
        ["null", "boolean", "object", "array", "number", "string", "integer"];

    /// <summary>Whether some value of the kind is of the type.</summary>
    public bool Allows(JsonValueKind kind) => (_kinds & 1 << (int)kind) != 0;

    public override bool LooksAt(JsonValueKind kind) =>
        !Allows(kind) || (_onlyWhole && kind == JsonValueKind.Number);

    public override bool IsValid(JsonElement instance)
    {
        var kind = instance.ValueKind;
        return Allows(kind) && (kind != JsonValueKind.Number || !_onlyWhole
            || NumberText.IsWholeNumber(JsonMarshal.GetRawUtf8Value(instance)));
    }

    protected override string Message(JsonElement instance) =>
        $"{PythonText.Of(instance)} is not of type {PythonText.Join(_names)}";

    private static int KindsOf(string name) => name switch
    {
        "null" => 1 << (int)JsonValueKind.Null,
        "boolean" => 1 << (int)JsonValueKind.True | 1 << (int)JsonValueKind.False,
        "object" => (int)Kinds.Objects,
        "array" => (int)Kinds.Arrays,
        "number" or "integer" => (int)Kinds.Numbers,
        "string" => (int)Kinds.Strings,
        _ => 0,
    };
}
