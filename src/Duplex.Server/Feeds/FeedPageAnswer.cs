using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Engine.Feeds;

namespace Duplex.Server.Feeds;

/// <summary>Writes a page of records, from the bytes that are stored.</summary>
internal sealed class FeedPageAnswer(FeedPoll poll, FeedSlice slice) : IResult
{
    /// <summary>How much is written before it goes to the socket.</summary>
    private const int BytesBetween = 64 * 1024;

    internal static readonly JsonWriterOptions Writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var aborted = httpContext.RequestAborted;
        var response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        var body = response.BodyWriter;
        await using (var json = new Utf8JsonWriter(body, Writing))
        {
            json.WriteStartObject();
            json.WriteString("customer"u8, poll.Customer);
            json.WriteStartArray("records"u8);
            foreach (var record in slice.Records)
            {
                FeedRecordJson.Write(json, poll.Customer, record);
                if (json.BytesPending + body.UnflushedBytes > BytesBetween)
                {
                    json.Flush();
                    await body.FlushAsync(aborted).ConfigureAwait(false);
                }
            }

            json.WriteEndArray();
            json.WriteNumber("next_offset"u8, slice.NextOffset);
            json.WriteNumber("last_offset"u8, slice.LastOffset);
            json.WriteNumber("first_offset"u8, slice.FirstOffset);
            json.WriteEndObject();
        }

        await body.FlushAsync(aborted).ConfigureAwait(false);
        // The answer's end is sent after this, so that nobody has an answer whose acknowledgement is not stored.
        await poll.AcknowledgeAsync(slice, aborted).ConfigureAwait(false);
    }
}
