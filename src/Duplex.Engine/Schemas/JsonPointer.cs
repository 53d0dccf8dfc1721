using System.Globalization;
using System.Text.Json;

namespace Duplex.Engine.Schemas;

/// <summary>JSON pointers (RFC 6901).</summary>
internal static class JsonPointer
{
    /// <summary>A member's name as a step of a pointer.</summary>
    public static string Escape(string step) => step.AsSpan().IndexOfAny('~', '/') < 0
        ? step
        : step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>The name that a step means.</summary>
    public static string Unescape(string step) => step.Contains('~')
        ? step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)
        : step;

    /// <summary>One step down; false where there is nothing.</summary>
    public static bool TryStep(JsonElement value, string step, out JsonElement found)
    {
        found = default;
        if (value.ValueKind == JsonValueKind.Object)
            return value.TryGetProperty(Unescape(step), out found);
        if (value.ValueKind != JsonValueKind.Array || (step.Length > 1 && step[0] == '0')
            || !int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            || index >= value.GetArrayLength())
        {
            return false;
        }

        found = value[index];
        return true;
    }
}
