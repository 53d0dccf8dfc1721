using System.Text.Json;
using System.Text.RegularExpressions;
using Duplex.Engine.Registry;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Server.Problems;

/// <summary>Turns whatever a request ends with, a throw or an empty error status, into problem details.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await Of(e, context).ExecuteAsync(context).ConfigureAwait(false);
            return;
        }

        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null, ContentLength: null or 0 })
        {
            await OfStatus(context).ExecuteAsync(context).ConfigureAwait(false);
        }
    }

    /// <summary>The problem that an error of the engine or of a connector is to the API's caller.</summary>
    public static Refusal Of(SyncError error)
    {
        var status = error.Code switch
        {
            ErrorCode.StorageFull or ErrorCode.StorageFailed or ErrorCode.StorageUnavailable or ErrorCode.StorageFenced
                or ErrorCode.StorageUnreadable => StatusCodes.Status503ServiceUnavailable,
            ErrorCode.Internal => StatusCodes.Status500InternalServerError,
            ErrorCode.ConfigInvalid or ErrorCode.MappingFailed or ErrorCode.BrakeEngaged or ErrorCode.MatchAmbiguous
                or ErrorCode.ConflictManual => StatusCodes.Status409Conflict,
            _ => StatusCodes.Status502BadGateway,
        };
        var title = status switch
        {
            StatusCodes.Status503ServiceUnavailable => "The stores take no requests",
            StatusCodes.Status502BadGateway => "The connected system cannot be asked",
            StatusCodes.Status409Conflict => "Not possible now",
            _ => "A fault in Duplex",
        };
        return Refusal.Make(status, title, ErrorCodes.Dotted(error.Code), error.Message, error.Path, error.Suggestion);
    }

    private Refusal Of(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return TooLarge();
            case BadHttpRequestException bad:
                return OfBinding(bad);
            case SyncException sync:
                return Of(sync.Error);
            case RegistryException registry:
                return Refusal.Of(registry);
            default:
                Log.Unexpected(logger, exception, context.Request.Method, context.Request.Path);
                return Refusal.Make(StatusCodes.Status500InternalServerError, "A fault in Duplex", "internal",
                    "The request failed for a reason that is not the caller's; the server's log tells more.", null,
                        null);
        }
    }

    private static Refusal OfBinding(BadHttpRequestException bad)
    {
        if (bad.InnerException is JsonException json)
        {
            if (UnknownMember().Match(json.Message) is { Success: true } unknown)
            {
                var member = unknown.Groups["name"].Value;
                return Refusal.BadRequest("request.unknown_member", member, $"The body takes no member {member}.",
                    "GET /openapi/v1.json shows every body with its members and an example.");
            }

            return Refusal.BadRequest("request.unreadable", null,
                $"The body is not the JSON that is expected (line {json.LineNumber + 1}, byte {json.BytePositionInLine}, at {json.Path}).",
                "GET /openapi/v1.json shows every body with an example.");
        }

        return ParameterName().Match(bad.Message) is { Success: true } match
            && match.Groups["name"].Value is var parameter
            ? Refusal.BadRequest("request.bad_value", parameter,
                $"{parameter} is missing or has a value of the wrong type.",
                "GET /openapi/v1.json shows every parameter with its type and an example.")
            : Refusal.Make(bad.StatusCode, "The request is wrong", "request.unreadable", "The request cannot be read.",
                null,
                "GET /openapi/v1.json shows every request with an example.");
    }

    private static Refusal TooLarge() => Refusal.Make(
        StatusCodes.Status413PayloadTooLarge, "The body is too large", "request.too_large",
        "The body is larger than this server takes.", null,
        "Send less at once; server.body_max in duplex.yaml sets the limit.");

    private static Refusal OfStatus(HttpContext context)
    {
        var request = context.Request;
        return context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => Refusal.NotFound("request.unknown_path", null,
                $"There is nothing at {request.Path}.", "GET /openapi/v1.json on the control plane lists every path."),
            StatusCodes.Status405MethodNotAllowed => Refusal.Make(StatusCodes.Status405MethodNotAllowed,
                "The method is not allowed", "request.method_not_allowed",
                    $"{request.Path} does not take {request.Method}.",
                null, $"Use {context.Response.Headers.Allow}."),
            StatusCodes.Status413PayloadTooLarge => TooLarge(),
            StatusCodes.Status415UnsupportedMediaType => Refusal.Make(StatusCodes.Status415UnsupportedMediaType,
                "The media type is not taken", "request.media_type", $"{request.Path} takes JSON.", null,
                "Send the header Content-Type: application/json."),
            var status => Refusal.Make(status, "The request was refused", "request.refused",
                $"The request was refused with status {status}.", null, null),
        };
    }

    [GeneratedRegex("""parameter "[^" ]+ (?<name>\w+)""", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 100)]
    private static partial Regex ParameterName();

    [GeneratedRegex("""JSON property '(?<name>[^']{1,100})' could not be mapped""", RegexOptions.CultureInvariant, 100)]
    private static partial Regex UnknownMember();

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed unexpectedly")]
        public static partial void Unexpected(ILogger logger, Exception exception, string method, string path);
    }
}
