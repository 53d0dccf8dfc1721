using System.Text.Json;
using Duplex.Client;

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
