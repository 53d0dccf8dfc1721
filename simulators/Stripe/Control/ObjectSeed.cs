using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Resources;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Control;

/// <summary>Creates many objects at once from JSON, through the same checks as the API.</summary>
internal static class ObjectSeed
{
    private const int BatchCount = 500;

    /// <summary>Seeds objects from a JSON array or newline-delimited JSON; members are the create parameters.</summary>
    /// <remarks>Beside those, <c>id</c> and <c>created</c> (unix seconds) may be given.</remarks>
    /// <returns>The number of objects created; at the first wrong one those before it stay.</returns>
    public static int FromJson(Account account, Resource resource, ReadOnlyMemory<byte> json, bool events)
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { AllowMultipleValues = true });
        var count = 0;
        var batch = new List<JsonObject>(BatchCount);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.StartArray || reader.TokenType == JsonTokenType.EndArray)
            {
                continue;
            }

            batch.Add(JsonNode.Parse(ref reader) as JsonObject ?? throw new JsonException("Objects are expected."));
            if (batch.Count == BatchCount)
            {
                count += Insert(account, resource, batch, events);
                batch.Clear();
            }
        }

        return count + Insert(account, resource, batch, events);
    }

    /// <summary>Makes up customers with distinct names and addresses.</summary>
    public static int Customers(Account account, int count, bool events)
    {
        var batch = new List<JsonObject>(BatchCount);
        for (var i = 1; i <= count; i++)
        {
            var number = i.ToString("D6", CultureInfo.InvariantCulture);
            batch.Add(new JsonObject
            {
                ["name"] = "Customer " + number,
                ["email"] = $"customer{number}@example.com",
                ["metadata"] = new JsonObject { ["number"] = number },
            });
            if (batch.Count == BatchCount || i == count)
            {
                Insert(account, ResourceCatalog.Customers, batch, events);
                batch.Clear();
            }
        }

        return count;
    }

    private static int Insert(Account account, Resource resource, List<JsonObject> batch, bool events)
    {
        lock (account.Gate)
        {
            foreach (var given in batch)
            {
                Insert(account, resource, given, events);
            }

            account.Journal?.Flush();
        }

        return batch.Count;
    }

    private static void Insert(Account account, Resource resource, JsonObject given, bool events)
    {
        var id = given["id"]?.GetValue<string>();
        var created = given["created"]?.GetValue<long>();
        given.Remove("id");
        given.Remove("created");
        var transaction = new Transaction(account, EventCause.Automatic) { Silent = !events };
        if (id is not null && account.Table(resource).Find(id) is not null)
        {
            throw StripeException.Invalid("resource_already_exists", $"{id} already exists.", "id");
        }

        transaction.ChosenId = id;
        transaction.ChosenCreated = created;
        resource.Create(transaction, resource.CreateParams.Read(FormOf(given)));
        account.Apply(transaction);
    }

    private static FormNode FormOf(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject fields:
                var hash = FormNode.Hash();
                foreach (var (name, inner) in fields)
                {
                    hash.Set(name, FormOf(inner));
                }

                return hash;
            case JsonArray items:
                var list = FormNode.List();
                foreach (var inner in items)
                {
                    list.Add(FormOf(inner));
                }

                return list;
            default:
                return FormNode.Leaf(Json.Leaf(value) ?? string.Empty);
        }
    }
}
