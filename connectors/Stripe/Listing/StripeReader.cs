using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Duplex.Connectors.Stripe.Requests;
using Duplex.Connectors.Stripe.Streams;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Listing;

/// <summary>Reads objects by id and by list. Search plays no part: it lags behind the writes.</summary>
internal sealed class StripeReader(ConnectorContext context) : IRecordReader
{
    private const int FetchesMax = 8;

    private readonly StripeClient _client = new(context);
    private readonly int _parallelism = context.Settings.Get(StripeSettings.BackfillParallelism);

    public async Task<IReadOnlyList<FetchedRecord?>> FetchAsync(
        string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken)
    {
        var kind = StripeStream.Of(stream);
        var fetched = new FetchedRecord?[keys.Count];
        await Parallel.ForAsync(0, keys.Count,
            new ParallelOptions { MaxDegreeOfParallelism = FetchesMax, CancellationToken = cancellationToken },
            async (i, token) => fetched[i] = await FetchAsync(kind, keys[i], token));
        return fetched;
    }

    public async IAsyncEnumerable<IReadOnlyList<FetchedRecord>> ListAsync(
        string stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var kind = StripeStream.Of(stream);
        var walk = new RangeWalk(_client, kind, _parallelism);
        await foreach (var page in walk.ReadAsync(RangeWalk.Whole(kind), cancellationToken))
        {
            yield return
            [
                .. page.Items.Where(static item => !DeletedMark.IsOn(item))
                    .Select(item => new FetchedRecord(KeyOf(item), Copy(item), page.Reply.SinceMicros)),
            ];
        }
    }

    /// <summary>Stripe counts nothing without listing it.</summary>
    public Task<long> EstimateAsync(string stream, CancellationToken cancellationToken) => Task.FromResult(-1L);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The key of an object.</summary>
    internal static RecordKey KeyOf(JsonElement item) => RecordKey.Of(item.GetProperty("id").GetString()!);

    /// <summary>The object's own bytes: every digit and member as Stripe wrote it.</summary>
    internal static Record Copy(JsonElement item) => new(JsonMarshal.GetRawUtf8Value(item).ToArray());

    private async Task<FetchedRecord?> FetchAsync(StripeStream stream, RecordKey key,
        CancellationToken cancellationToken)
    {
        if (key.Parts() is not [{ Length: > 0 } id])
        {
            return null;
        }

        var reply = await _client.ReadAsync(
            StripeRequest.Get(stream.ObjectPath, stream.PathOf(id), stream.Object), 3, cancellationToken);
        if (reply.Error?.Code == ErrorCode.SinkGone)
        {
            return null;
        }

        if (!reply.Done)
        {
            // A refusal of one key is about that record; only a list that is refused is about the connection.
            throw new SyncException(
                reply.Error.Code == ErrorCode.SinkRejected ? reply.Error : StripeErrors.AsSource(reply.Error));
        }

        return DeletedMark.IsOn(reply.Record.Root) ? null : new FetchedRecord(key, reply.Record, reply.AtMicros);
    }
}
