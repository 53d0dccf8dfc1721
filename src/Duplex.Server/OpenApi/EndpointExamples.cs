using Duplex.Client;

namespace Duplex.Server.OpenApi;

/// <summary>Examples of an endpoint's path and query parameters.</summary>
internal sealed record ParameterExamples(IReadOnlyDictionary<string, string> Values);

/// <summary>An example of an endpoint's body.</summary>
internal sealed record RequestExample(object Body);

/// <summary>An example of an endpoint's answer.</summary>
internal sealed record AnswerExample(int Status, object Body);

/// <summary>Attaches examples and refusals to endpoints, for the OpenAPI document.</summary>
internal static class EndpointExamples
{
    public static RouteHandlerBuilder WithExamples(
        this RouteHandlerBuilder builder, IReadOnlyDictionary<string, string> parameters) =>
        builder.WithMetadata(new ParameterExamples(parameters));

    public static RouteHandlerBuilder WithRequest(this RouteHandlerBuilder builder, object body) =>
        builder.WithMetadata(new RequestExample(body));

    public static RouteHandlerBuilder WithAnswer(
        this RouteHandlerBuilder builder, object body, int status = StatusCodes.Status200OK) =>
        builder.WithMetadata(new AnswerExample(status, body));

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder builder, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            builder.Produces<ProblemDocument>(status, "application/problem+json");
        }

        return builder;
    }
}
