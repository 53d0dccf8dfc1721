using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Duplex.Client;
using Duplex.Engine.Config;
using Duplex.Server.Api;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Duplex.Server.OpenApi;

/// <summary>The OpenAPI document of the control plane: every route, each with examples.</summary>
internal static class ApiDocument
{
    private const string Scheme = "api_key";

    public static void Add(IServiceCollection services, ServerModel server) => services.AddOpenApi("v1", api =>
    {
        api.AddDocumentTransformer((document, _, _) =>
        {
            Describe(document, server);
            return Task.CompletedTask;
        });
        api.AddOperationTransformer(static (operation, context, _) =>
        {
            AddExamples(operation, context);
            return Task.CompletedTask;
        });
    });

    private static void Describe(OpenApiDocument document, ServerModel server)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Duplex",
            Version = StatusEndpoints.Version,
            Description =
                "Keeps pairs of records equal, in both directions. Errors are problem details (RFC 9457) with a "
                + "stable `code`, the `field` at fault and a `fix`.",
        };
        AddWebhooks(document, server);
        IngestPaths.Add(document, server);
        if (server.ApiKeys.Count == 0)
        {
            return;
        }

        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes[Scheme] =
            new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description =
                "An API key." };
        document.Security =
            [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
    }

    /// <summary>Webhooks are taken by the other plane, whose routes this document's generator does not see.</summary>
    private static void AddWebhooks(OpenApiDocument document, ServerModel server)
    {
        foreach (var path in new[] { "/webhooks/{connection}", "/webhooks/{tenant}/{connection}" })
        {
            var names = path.Contains("tenant", StringComparison.Ordinal)
                ? new[] { "tenant", "connection" } : ["connection"];
            document.Paths[path] = new OpenApiPathItem
            {
                Servers = [new OpenApiServer { Url = $"http://{server.DataPlane}", Description = "The data plane." }],
                Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Post] = Webhook(names) },
            };
        }
    }

    private static OpenApiOperation Webhook(string[] names) => new()
    {
        OperationId = $"receive_webhook_of_{string.Join('_', names)}",
        Summary = "Takes a vendor's delivery, signed as the vendor signs. 200 only when it is on disk.",
        Parameters =
        [
            .. names.Select(static name => new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Path,
                Required = true,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                Example = JsonValue.Create(name == "tenant" ? "acme" : "billing"),
            }),
        ],
        RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] =
                    new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } },
            },
        },
        Responses = new OpenApiResponses
        {
            ["200"] = new OpenApiResponse { Description = "The delivery is on disk." },
            ["400"] = new OpenApiResponse { Description = "The signature is missing or wrong, or too old." },
            ["404"] = new OpenApiResponse { Description = "There is no such connection, or it takes no webhooks." },
            ["503"] = new OpenApiResponse { Description = "The change log takes no appends now; deliver again later." },
        },
    };

    private static void AddExamples(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        foreach (var metadata in context.Description.ActionDescriptor.EndpointMetadata)
        {
            switch (metadata)
            {
                case ParameterExamples parameters:
                    AddParameters(operation, parameters);
                    break;
                case RequestExample request when operation.RequestBody?.Content is { } content:
                    foreach (var media in content.Values.OfType<OpenApiMediaType>())
                    {
                        media.Example = Node(request.Body);
                    }

                    break;
                case AnswerExample answer:
                    AddAnswer(operation, answer);
                    break;
            }
        }
    }

    private static void AddParameters(OpenApiOperation operation, ParameterExamples examples)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            if (parameter.Name is { } name && examples.Values.TryGetValue(name, out var value))
            {
                parameter.Example = long.TryParse(value, CultureInfo.InvariantCulture, out var number) && name != "key"
                    ? JsonValue.Create(number)
                    : bool.TryParse(value, out var flag) ? JsonValue.Create(flag) : JsonValue.Create(value);
            }
        }
    }

    private static void AddAnswer(OpenApiOperation operation, AnswerExample answer)
    {
        var status = answer.Status.ToString(CultureInfo.InvariantCulture);
        if (operation.Responses?.TryGetValue(status, out var response) == true && response.Content is { } content)
        {
            foreach (var media in content.Values.OfType<OpenApiMediaType>())
            {
                media.Example = Node(answer.Body);
            }
        }
    }

    private static JsonNode? Node(object body) =>
        JsonSerializer.SerializeToNode(body, body.GetType(), DuplexJson.Compact);
}
