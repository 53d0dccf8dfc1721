using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Duplex.Cli.Views;

/// <summary>One line of a record's timeline in words; <c>--json</c> has the rest of it.</summary>
internal static class TimelineLine
{
    public static string Of(JsonElement? detail)
    {
        if (detail is not { ValueKind: JsonValueKind.Object } told)
        {
            return detail?.ToString() ?? "";
        }

        var line = new StringBuilder(Text(told, "write") ?? Operation(Text(told, "op")));
        if (told.TryGetProperty("fields", out var fields) && fields.ValueKind == JsonValueKind.Array)
        {
            line.Append(" of ").AppendJoin(", ", fields.EnumerateArray().Select(static f => f.ToString()));
        }

        if (told.TryGetProperty("attempt", out var attempt) && attempt.TryGetInt32(out var n) && n > 1)
        {
            line.Append(CultureInfo.InvariantCulture, $", attempt {n}");
        }

        if (Text(told, "pos") is { Length: > 0 } position)
        {
            line.Append(CultureInfo.InvariantCulture, $" at {position}");
        }

        if (Text(told, "message") is { } message)
        {
            line.Append(CultureInfo.InvariantCulture, $": {message}");
        }

        return Text(told, "error") is { } code ? $"{line} [{code}]" : line.ToString();
    }

    private static string? Text(JsonElement told, string name) =>
        told.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Operation(string? letter) => letter switch
    {
        "c" => "create", "u" => "update", "d" => "delete", "r" => "read", "t" => "truncate", _ => letter ?? "",
    };
}
