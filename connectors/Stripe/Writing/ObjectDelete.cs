using System.Text.Json;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Writing;

/// <summary>
/// Deletes an object as far as Stripe lets it be deleted: customers, products without prices and draft invoices go;
/// other products and prices are archived; open invoices are voided; a paid invoice stays and the write is refused.
/// What is gone already is done.
/// </summary>
internal sealed class ObjectDelete(StripeClient client, StripeStream stream, WriteRequest request)
{
    private readonly string _id = StripeSink.IdOf(request.Key);

    public async Task<WriteOutcome> RunAsync(CancellationToken cancellationToken)
    {
        if (stream == StripeStream.Prices)
        {
            return await ArchiveAsync(cancellationToken);
        }

        var delete = StripeRequest.Delete(stream.ObjectPath, stream.PathOf(_id), request.IdempotencyKey)
            with { Target = stream.Object };
        var reply = await client.SendAsync(delete, cancellationToken);
        return reply.Error?.Code switch
        {
            ErrorCode.SinkRejected when stream == StripeStream.Products => await ArchiveAsync(cancellationToken),
            ErrorCode.SinkRejected when stream == StripeStream.Invoices => await VoidAsync(reply, cancellationToken),
            _ => Gone(reply),
        };
    }

    private async Task<WriteOutcome> ArchiveAsync(CancellationToken cancellationToken) =>
        Gone(await PostAsync("", Mark().Add("active", "false"), "archive", cancellationToken));

    private async Task<WriteOutcome> VoidAsync(StripeReply refusal, CancellationToken cancellationToken)
    {
        var current = await client.SendAsync(
            StripeRequest.Get(stream.ObjectPath, stream.PathOf(_id), stream.Object), cancellationToken);
        if (!current.Done || DeletedMark.IsOn(current.Record.Root))
        {
            return Gone(current);
        }

        var status = current.Record.Root.TryGetProperty("status", out var s) ? s.GetString() : null;
        if (status is not ("open" or "uncollectible" or "void"))
        {
            return WriteOutcome.Failure(refusal.Error! with
            {
                Message = $"Stripe deletes no invoice that is {status}.",
                Suggestion = "Refund or credit the invoice in Stripe, or set deletes to unlink for this sync.",
            }, refusal.RequestId);
        }

        var marked = await PostAsync("", Mark(), "mark", cancellationToken);
        return marked.Done && status != "void"
            ? Gone(await PostAsync("/void", new FormBody(), "void", cancellationToken))
            : Gone(marked);
    }

    private Task<StripeReply> PostAsync(string action, FormBody form, string step,
        CancellationToken cancellationToken) =>
        client.SendAsync(
            StripeRequest.Post(stream.ObjectPath + action, stream.PathOf(_id) + action, form,
                $"{request.IdempotencyKey}:{step}")
                with { Target = stream.Object },
            cancellationToken);

    private static FormBody Mark() => new FormBody().Add($"metadata[{DeletedMark.Name}]", DeletedMark.Value);

    private static WriteOutcome Gone(StripeReply reply) => reply.Done || reply.Error.Code == ErrorCode.SinkGone
        ? new WriteOutcome(WriteStatus.Applied, AtMicros: reply.AtMicros, RequestId: reply.RequestId)
        : WriteOutcome.Failure(reply.Error, reply.RequestId);
}
