using System.Text.Json;

namespace Duplex.Engine.Schemas.Values;

/// <summary>The part of a sentence that names what is too much: <c>'a' was</c>, <c>'a', 'b' were</c>.</summary>
internal static class Surplus
{
    public static string Of(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return $"{PythonText.Join(all)} {(all.Length == 1 ? "was" : "were")}";
    }

    public static string Of(IEnumerable<JsonElement> values)
    {
        JsonElement[] all = [.. values];
        return $"{PythonText.Join(all)} {(all.Length == 1 ? "was" : "were")}";
    }
}
