using System.Buffers;
using Duplex.Engine.Ingest;
using Duplex.Server.Problems;
using Microsoft.Extensions.Primitives;

namespace Duplex.Server.Ingest;

/// <summary>The answers to posted events.</summary>
internal static class IngestAnswers
{
    private const string RetrySoon = "1";
    private const string RetryLater = "5";
    private static readonly StringValues Json = new("application/json");

    /// <summary>200 with the given JSON.</summary>
    public static Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> json)
    {
        var response = context.Response;
        response.Headers.ContentType = Json;
        response.ContentLength = json.Length;
        var output = response.BodyWriter;
        output.Write(json.Span);
        var flushed = output.FlushAsync(CancellationToken.None);
        return flushed.IsCompletedSuccessfully ? Task.CompletedTask : flushed.AsTask();
    }

    /// <summary>The problem that a refusal is, with <c>Retry-After</c> where the same event may come again.</summary>
    public static Task WriteAsync(HttpContext context, IngestRefusal refusal)
    {
        if (RetryAfter(refusal.Verdict) is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds;
        }

        return Of(refusal).ExecuteAsync(context);
    }

    public static int StatusOf(IngestVerdict verdict) => verdict switch
    {
        IngestVerdict.Invalid => StatusCodes.Status400BadRequest,
        IngestVerdict.TooLarge => StatusCodes.Status413PayloadTooLarge,
        IngestVerdict.Forbidden => StatusCodes.Status403Forbidden,
        IngestVerdict.Compressed => StatusCodes.Status415UnsupportedMediaType,
        IngestVerdict.KeyReused => StatusCodes.Status422UnprocessableEntity,
        IngestVerdict.Busy => StatusCodes.Status429TooManyRequests,
        IngestVerdict.NoRoom => StatusCodes.Status503ServiceUnavailable,
        IngestVerdict.Failed => StatusCodes.Status500InternalServerError,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };

    public static string? RetryAfter(IngestVerdict verdict) => verdict switch
    {
        IngestVerdict.Busy => RetrySoon,
        IngestVerdict.NoRoom => RetryLater,
        _ => null,
    };

    public static Refusal Of(IngestRefusal refusal) => Refusal.Make(
        StatusOf(refusal.Verdict), Title(refusal.Verdict), refusal.Code, refusal.Detail, refusal.Field,
        Fix(refusal.Verdict));

    private static string Title(IngestVerdict verdict) => verdict switch
    {
        IngestVerdict.Invalid => "The event is not taken",
        IngestVerdict.TooLarge => "The body is too large",
        IngestVerdict.Forbidden => "Not allowed",
        IngestVerdict.Compressed => "The body is compressed",
        IngestVerdict.KeyReused => "The key was used before",
        IngestVerdict.Busy => "Too much at once",
        IngestVerdict.NoRoom => "No room at the moment",
        _ => "The change log failed",
    };

    private static string Fix(IngestVerdict verdict) => verdict switch
    {
        IngestVerdict.Invalid => "Correct the event; nothing of it is stored.",
        IngestVerdict.TooLarge => "Send less at once; of a list, results tell what is stored. "
            + "ingest.max_body in duplex.yaml sets the limit of an event.",
        IngestVerdict.Forbidden => "Use a key of this tenant.",
        IngestVerdict.Compressed => "Send it as it is, without Content-Encoding.",
        IngestVerdict.KeyReused => "Give every other body an Idempotency-Key of its own; nothing of this one is stored.",
        IngestVerdict.Busy or IngestVerdict.NoRoom => "Post it again after Retry-After; nothing of it is stored.",
        _ => "Post it again once the server runs again; nothing of it is stored.",
    };
}
