using System.Text.Json;
using System.Text.Json.Serialization;
using Duplex.Sdk;

namespace Duplex.Storage.Embedded.State;

/// <summary>A <see cref="SyncError"/> as JSON with the dotted code:
/// <c>{"code":"sink.rejected","message":"…"}</c>.</summary>
internal static partial class ErrorText
{
    private static readonly Dictionary<string, ErrorCode> Codes =
        Enum.GetValues<ErrorCode>().ToDictionary(ErrorCodes.Dotted, StringComparer.Ordinal);

    internal static string? Write(SyncError? error) => error is null
        ? null
        : JsonSerializer.Serialize(
            new Form(ErrorCodes.Dotted(error.Code), error.Message, error.Path, error.Suggestion,
                error.RetryAfter?.TotalMilliseconds, error.Detail),
            Forms.Default.Form);

    internal static SyncError? Read(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var form = JsonSerializer.Deserialize(text, Forms.Default.Form)!;
        return new SyncError(
            Codes.GetValueOrDefault(form.Code, ErrorCode.Internal), form.Message, form.Path, form.Suggestion,
            form.RetryAfterMs is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null, form.Detail);
    }

    internal sealed record Form(
        string Code, string Message, string? Path, string? Suggestion, double? RetryAfterMs, string? Detail);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonSerializable(typeof(Form))]
    private sealed partial class Forms : JsonSerializerContext;
}
