using System.Text.Json;
using Duplex.Client;
using Duplex.Engine.Registry;
using Duplex.Server.Api;

namespace Duplex.Server.Problems;

/// <summary>An answer that says why a request was not done, which member is at fault and what to do.</summary>
internal sealed class Refusal(ProblemDocument problem) : IResult
{
    public ProblemDocument Problem { get; } = problem;

    public static Refusal BadRequest(string code, string? field, string detail, string fix) =>
        Make(StatusCodes.Status400BadRequest, "The request is wrong", code, detail, field, fix);

    public static Refusal Unauthorized(string code, string detail, string fix) =>
        Make(StatusCodes.Status401Unauthorized, "Not authenticated", code, detail, null, fix);

    public static Refusal Forbidden(string code, string detail, string fix) =>
        Make(StatusCodes.Status403Forbidden, "Not allowed", code, detail, null, fix);

    public static Refusal NotFound(string code, string? field, string detail, string fix) =>
        Make(StatusCodes.Status404NotFound, "Not found", code, detail, field, fix);

    public static Refusal Conflict(string code, string detail, string fix) =>
        Make(StatusCodes.Status409Conflict, "Not possible now", code, detail, null, fix);

    public static Refusal Of(RegistryException exception)
    {
        var (status, title) = exception.Fault switch
        {
            RegistryFault.Unknown => (StatusCodes.Status404NotFound, "Not found"),
            RegistryFault.Invalid => (StatusCodes.Status400BadRequest, "The document is wrong"),
            _ => (StatusCodes.Status409Conflict, "Not possible now"),
        };
        var refusal = Make(status, title, exception.Code, exception.Message, null, exception.Fix);
        return exception.Findings.Count == 0
            ? refusal
            : new Refusal(refusal.Problem with { Findings = [.. exception.Findings.Select(Documents.Of)] });
    }

    public static Refusal Make(int status, string title, string code, string detail, string? field, string? fix) =>
        new(new ProblemDocument($"urn:duplex:problem:{code}", title, status, detail, code, field, fix));

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Problem.Status;
        response.ContentType = "application/problem+json";
        return JsonSerializer.SerializeAsync(response.Body, Problem, DuplexJson.Compact, httpContext.RequestAborted);
    }
}
