using System.Globalization;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Resources;

/// <summary>The actions that move an invoice from state to state.</summary>
internal static class InvoiceActions
{
    public static readonly IReadOnlyDictionary<string, ResourceAction> All = new Dictionary<string, ResourceAction>
    {
        ["finalize"] = new(new(new FlagParam("auto_advance"), Fields.Expand), static (transaction, id, _) =>
            Move(transaction, id, Finalize, "draft")),
        ["pay"] = new(
            new(
                Fields.Expand, new FlagParam("forgive"), Fields.Text("mandate"), new FlagParam("off_session"),
                new FlagParam("paid_out_of_band"), Fields.Argument("payment_method"), Fields.Argument("source")),
            static (transaction, id, given) => Move(
                transaction, id, (within, invoice) => Pay(within, invoice, given), "draft", "open", "uncollectible")),
        ["send"] = new(new(Fields.Expand), static (transaction, id, _) =>
            Move(transaction, id, Send, "draft", "open")),
        ["void"] = new(new(Fields.Expand), static (transaction, id, _) => Move(
            transaction,
            id,
            static (within, invoice) => Close(within, invoice, "void", "voided_at", "voided"),
            "open",
            "uncollectible")),
        ["mark_uncollectible"] = new(new(Fields.Expand), static (transaction, id, _) => Move(
            transaction,
            id,
            static (within, invoice) =>
                Close(within, invoice, "uncollectible", "marked_uncollectible_at", "marked_uncollectible"),
            "open")),
    };

    private static byte[] Move(
        Transaction transaction, string id, Func<Transaction, JsonObject, List<string>> change, params string[] from)
    {
        var bytes = transaction.Find(ResourceCatalog.Invoices, id)
            ?? throw StripeException.Missing(ResourceCatalog.Invoices.Label, id);
        var before = Json.Object(bytes);
        var status = Json.Text(before, "status");
        if (!from.Contains(status))
        {
            throw StripeException.Refused(
                "invoice_not_editable", $"The invoice cannot do this while its status is {status}.");
        }

        var after = Json.Object(bytes);
        var kinds = change(transaction, after);
        return ResourceCatalog.Invoices.Change(transaction, before, after, bytes, [.. kinds]);
    }

    private static List<string> Finalize(Transaction transaction, JsonObject invoice)
    {
        var id = Json.Text(invoice, "id")!;
        var customer = transaction.Require(ResourceCatalog.Customers, Json.Text(invoice, "customer")!, "customer");
        if (invoice["number"] is null)
        {
            var before = (JsonObject)customer.DeepClone();
            var next = Json.Whole(customer, "next_invoice_sequence");
            customer["next_invoice_sequence"] = next + 1;
            ResourceCatalog.Customers.Change(transaction, before, customer, []);
            var sequence = next.ToString("D4", CultureInfo.InvariantCulture);
            invoice["number"] = $"{Json.Text(customer, "invoice_prefix")}-{sequence}";
        }

        invoice["status"] = "open";
        invoice["effective_at"] ??= transaction.Now;
        invoice["hosted_invoice_url"] = $"https://invoice.stripe.com/i/simulated/{id}";
        invoice["invoice_pdf"] = $"https://pay.stripe.com/invoice/simulated/{id}/pdf";
        invoice["status_transitions"]!["finalized_at"] = transaction.Now;
        List<string> kinds = ["finalized"];
        if (Json.Whole(invoice, "amount_due") == 0)
        {
            kinds.AddRange(Settle(transaction, invoice));
        }

        return kinds;
    }

    private static List<string> Pay(Transaction transaction, JsonObject invoice, JsonObject given)
    {
        var kinds = Json.Text(invoice, "status") == "draft" ? Finalize(transaction, invoice) : [];
        if (Json.Text(invoice, "status") == "paid")
        {
            return kinds;
        }

        if (!Json.Flag(given, "paid_out_of_band"))
        {
            throw new StripeException(
                402, "card_error", "missing", "Cannot charge a customer that has no active card", "card")
            {
                Executed = true,
            };
        }

        return [.. kinds, .. Settle(transaction, invoice)];
    }

    private static List<string> Settle(Transaction transaction, JsonObject invoice)
    {
        invoice["status"] = "paid";
        invoice["amount_paid"] = Json.Whole(invoice, "amount_due");
        invoice["amount_remaining"] = 0;
        invoice["attempted"] = true;
        invoice["status_transitions"]!["paid_at"] = transaction.Now;
        return ["paid", "payment_succeeded"];
    }

    private static List<string> Send(Transaction transaction, JsonObject invoice) =>
        Json.Text(invoice, "status") == "draft" ? [.. Finalize(transaction, invoice), "sent"] : ["sent"];

    private static List<string> Close(
        Transaction transaction, JsonObject invoice, string status, string moment, string kind)
    {
        invoice["status"] = status;
        invoice["status_transitions"]![moment] = transaction.Now;
        return [kind];
    }
}
