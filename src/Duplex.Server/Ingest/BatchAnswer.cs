using System.Text.Encodings.Web;
using System.Text.Json;
using Duplex.Engine.Ingest;

namespace Duplex.Server.Ingest;

/// <summary>Writes what became of each event of a list; where reading stopped, problem details stand before it.</summary>
internal static class BatchAnswer
{
    private const int ItemsBetweenFlushes = 500;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static async Task WriteAsync(HttpContext context, BatchOutcome outcome)
    {
        var response = context.Response;
        response.ContentType = "application/json";
        var writer = new Utf8JsonWriter(response.BodyWriter, Options);
        await using (writer)
        {
            writer.WriteStartObject();
            if (outcome.Stopped is { } stopped)
            {
                Begin(response, writer, stopped);
            }

            writer.WriteStartArray("results"u8);
            for (var index = 0; index < outcome.Items.Count; index++)
            {
                Write(writer, index, outcome.Items[index]);
                if (index % ItemsBetweenFlushes == ItemsBetweenFlushes - 1)
                {
                    writer.Flush();
                    await response.BodyWriter.FlushAsync(context.RequestAborted);
                }
            }

            writer.WriteEndArray();
            var published = outcome.Items.Count(static i => i.Refusal is null);
            writer.WriteNumber("published"u8, published);
            writer.WriteNumber("rejected"u8, outcome.Items.Count - published);
            writer.WriteEndObject();
        }

        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static void Begin(HttpResponse response, Utf8JsonWriter writer, IngestRefusal stopped)
    {
        var problem = IngestAnswers.Of(stopped).Problem;
        response.StatusCode = problem.Status;
        response.ContentType = "application/problem+json";
        if (IngestAnswers.RetryAfter(stopped.Verdict) is { } seconds)
        {
            response.Headers.RetryAfter = seconds;
        }

        writer.WriteString("type"u8, problem.Type);
        writer.WriteString("title"u8, problem.Title);
        writer.WriteNumber("status"u8, problem.Status);
        writer.WriteString("detail"u8, problem.Detail);
        writer.WriteString("code"u8, problem.Code);
        writer.WriteString("fix"u8, problem.Fix);
    }

    private static void Write(Utf8JsonWriter writer, int index, in ItemOutcome item)
    {
        writer.WriteStartObject();
        writer.WriteNumber("index"u8, index);
        if (item.Refusal is { } refusal)
        {
            writer.WriteString("status"u8, "rejected"u8);
            writer.WriteString("detail"u8, refusal.Detail);
            writer.WriteString("code"u8, refusal.Code);
        }
        else
        {
            writer.WriteString("status"u8, "published"u8);
            writer.WriteString("topic"u8, item.Table);
        }

        writer.WriteEndObject();
    }
}
