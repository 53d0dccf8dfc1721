using System.Text.Json;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Writing;

/// <summary>Writes one object per request; Stripe has no batches and compares nothing before a write.</summary>
internal sealed class StripeSink(ConnectorContext context) : IRecordSink
{
    private readonly StripeClient _client = new(context);

    public async Task<IReadOnlyList<WriteOutcome>> WriteAsync(
        IReadOnlyList<WriteRequest> requests, CancellationToken cancellationToken)
    {
        var outcomes = new WriteOutcome[requests.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = await WriteOneAsync(requests[i], cancellationToken);
        }

        return outcomes;
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<WriteOutcome> WriteOneAsync(WriteRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var stream = StripeStream.Of(request.Stream);
            return request.Operation switch
            {
                WriteOperation.Create => await CreateAsync(stream, request, cancellationToken),
                WriteOperation.Update => await UpdateAsync(stream, request, cancellationToken),
                _ => await new ObjectDelete(_client, stream, request).RunAsync(cancellationToken),
            };
        }
        catch (FormatException e)
        {
            return WriteOutcome.Failure(new SyncError(ErrorCode.SinkRejected, e.Message));
        }
        catch (SyncException e)
        {
            return WriteOutcome.Failure(e.Error);
        }
    }

    private async Task<WriteOutcome> CreateAsync(StripeStream stream, WriteRequest request,
        CancellationToken cancellationToken)
    {
        var fields = FieldsOf(request);
        var form = FormBody.ForCreate(fields);
        var chosen = ChosenId(stream, request, fields);
        if (chosen is not null && !fields.TryGetProperty("id", out _))
        {
            form.Add("id", chosen);
        }

        var reply = await _client.SendAsync(
            StripeRequest.Post(stream.Path, stream.Path, form, request.IdempotencyKey), cancellationToken);
        return reply.Error?.Code switch
        {
            ErrorCode.SinkFailed =>
                await new CreateConfirmation(_client, stream, request).RunAsync(reply, cancellationToken),
            ErrorCode.SinkExists when chosen is not null => Outcome(reply) with { Key = RecordKey.Of(chosen) },
            _ => Outcome(reply),
        };
    }

    /// <summary>The id that the object is to have, where the caller chooses it; null where Stripe does.</summary>
    private static string? ChosenId(StripeStream stream, WriteRequest request, JsonElement fields)
    {
        if (stream != StripeStream.Products)
        {
            return null;
        }

        return fields.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()
            : request.Key.IsEmpty ? null : IdOf(request.Key);
    }

    private async Task<WriteOutcome> UpdateAsync(StripeStream stream, WriteRequest request,
        CancellationToken cancellationToken)
    {
        var form = FormBody.ForUpdate(FieldsOf(request));
        var update =
            StripeRequest.Post(stream.ObjectPath, stream.PathOf(IdOf(request.Key)), form, request.IdempotencyKey)
            with { Target = stream.Object };
        return Outcome(await _client.SendAsync(update, cancellationToken));
    }

    /// <summary>The outcome of a create or an update.</summary>
    internal static WriteOutcome Outcome(StripeReply reply)
    {
        if (!reply.Done)
        {
            return WriteOutcome.Failure(reply.Error, reply.RequestId);
        }

        if (!reply.Record.Root.TryGetProperty("id", out var id) || id.ValueKind != JsonValueKind.String)
        {
            return WriteOutcome.Failure(new SyncError(ErrorCode.SinkUnavailable,
                "Stripe's answer names no object; the outcome is unknown."), reply.RequestId);
        }

        return new WriteOutcome(WriteStatus.Applied, RecordKey.Of(id.GetString()!), reply.Record, reply.AtMicros,
            RequestId: reply.RequestId);
    }

    internal static string IdOf(RecordKey key) => key.Parts() is [var id]
        ? id
        : throw new SyncException(ErrorCode.SinkRejected, "The write names no object of Stripe.");

    private static JsonElement FieldsOf(WriteRequest request) =>
        request.Fields?.Root is { ValueKind: JsonValueKind.Object } root
            ? root
            : throw new SyncException(ErrorCode.Internal, $"A {request.Operation} of {request.Stream} has no fields.");
}
