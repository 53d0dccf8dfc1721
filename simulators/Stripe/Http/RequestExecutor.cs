using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Resources;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Runs one operation on the account. Called under the account's gate.</summary>
internal sealed class RequestExecutor(Account account, StripeSimulatorOptions options)
{
    private static readonly ParamSet Nothing = new(Fields.Expand);

    private static readonly ParamSet EventList = Fields.List(
        new FlagParam("delivery_success"),
        Fields.Fixed("type"),
        new ListParam("types", Fields.Fixed("types")) { CountMax = 20 });

    /// <summary>Checks the parameters, does the work within the transaction and renders the answer.</summary>
    public ApiResponse Execute(ApiRequest request, Transaction transaction)
    {
        var operation = request.Operation;
        var resource = operation.Resource;
        return operation.Kind switch
        {
            OperationKind.List => List(request, resource!),
            OperationKind.Search => Search(request, resource!),
            OperationKind.Retrieve => One(request, Retrieve(request, resource!)),
            OperationKind.Create => One(request, Create(request, transaction, resource!)),
            OperationKind.Update => One(request, Update(request, transaction, resource!)),
            OperationKind.Delete => One(request, Delete(request, transaction, resource!)),
            OperationKind.Action => One(request, Act(request, transaction, resource!)),
            OperationKind.InvoiceLines => InvoiceLines(request, resource!),
            OperationKind.EventList => ApiResponse.Ok(
                ListOperation.Events(account, EventList.Read(request.Form), options.ApiVersion)),
            OperationKind.EventRetrieve => Event(request),
            OperationKind.AccountRetrieve => ApiResponse.Ok(AccountObjects.Account(Read(request, Nothing), options)),
            OperationKind.BalanceRetrieve => ApiResponse.Ok(AccountObjects.Balance(Read(request, Nothing), options)),
            _ => throw new InvalidOperationException($"{operation.Name} has no handler."),
        };
    }

    private static JsonObject Read(ApiRequest request, ParamSet set) => set.Read(request.Form);

    private byte[] Create(ApiRequest request, Transaction transaction, Resource resource)
    {
        var json = resource.Create(transaction, Read(request, resource.CreateParams));
        if (resource != ResourceCatalog.WebhookEndpoints)
        {
            return json;
        }

        var shown = Json.Object(json);
        var secret = account.Ids.Next("whsec_", 32);
        account.SetSecrets(Json.Text(shown, "id")!, [secret]);
        shown["secret"] = secret;
        return Json.Bytes(shown);
    }

    private static byte[] Update(ApiRequest request, Transaction transaction, Resource resource) =>
        resource.Update(transaction, request.ObjectId, Read(request, resource.UpdateParams));

    private static byte[] Delete(ApiRequest request, Transaction transaction, Resource resource)
    {
        Read(request, Nothing);
        return resource.Delete(transaction, request.ObjectId);
    }

    private static byte[] Act(ApiRequest request, Transaction transaction, Resource resource)
    {
        var action = resource.Actions[request.Operation.Action!];
        return action.Run(transaction, request.ObjectId, Read(request, action.Params));
    }

    private byte[] Retrieve(ApiRequest request, Resource resource)
    {
        Read(request, Nothing);
        var now = account.Table(resource).Find(request.ObjectId)?.Json;
        return (request.Lag is { } lag ? lag.See(request.ObjectId, now) : now)
            ?? throw StripeException.Missing(resource.Label, request.ObjectId);
    }

    private ApiResponse List(ApiRequest request, Resource resource)
    {
        var given = Read(request, resource.ListParams);
        var body = ListOperation.Objects(account, resource, given, request.Lag);
        return ApiResponse.Ok(given["expand"] is JsonArray paths ? Expansion.Of(account, resource, body, paths) : body);
    }

    private ApiResponse Search(ApiRequest request, Resource resource)
    {
        var given = Read(request, SearchOperation.Params);
        account.CatchUpSearch();
        var body = SearchOperation.Run(account.Table(resource), given);
        return ApiResponse.Ok(given["expand"] is JsonArray paths ? Expansion.Of(account, resource, body, paths) : body);
    }

    private ApiResponse One(ApiRequest request, byte[] json)
    {
        var paths = request.Form.Field("expand")?.AsList();
        if (paths is null || paths.Count == 0)
        {
            return ApiResponse.Ok(json);
        }

        var texts = new JsonArray([.. paths.Select(static path => JsonValue.Create(path.Text))]);
        return ApiResponse.Ok(Expansion.Of(account, request.Operation.Resource!, json, texts));
    }

    private ApiResponse InvoiceLines(ApiRequest request, Resource resource)
    {
        var given = Read(request, Fields.List());
        var invoice = Json.Object(Retrieve(new ApiRequest
        {
            RequestId = request.RequestId,
            Operation = request.Operation,
            ObjectId = request.ObjectId,
            Path = request.Path,
            Form = FormNode.Hash(),
        }, resource));
        var lines = (JsonArray)invoice["lines"]!["data"]!;
        var limit = given["limit"] is null ? 10 : (int)Json.Whole(given, "limit");
        var after = Json.Text(given, "starting_after");
        var rest = lines.Select(static line => (JsonObject)line!).ToList();
        if (after is not null)
        {
            rest.RemoveRange(0, rest.FindIndex(line => Json.Text(line, "id") == after) + 1);
        }

        var page = rest.Take(limit).Select(static line => Json.Bytes(line)).ToList();
        return ApiResponse.Ok(ListOperation.Envelope(
            page, false, rest.Count > limit, $"/v1/invoices/{request.ObjectId}/lines"));
    }

    private ApiResponse Event(ApiRequest request)
    {
        Read(request, Nothing);
        var happened = account.Events.Find(request.ObjectId)
            ?? throw StripeException.Missing("event", request.ObjectId);
        return ApiResponse.Ok(EventRendering.Render(happened, options.ApiVersion));
    }
}
