using System.Buffers;
using System.Globalization;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>Reads a request's query, body and headers.</summary>
internal static class RequestReader
{
    private const int BodyMax = 1024 * 1024;

    /// <exception cref="StripeException">The request cannot be read; nothing has happened.</exception>
    public static async Task<ApiRequest> ReadAsync(
        HttpContext context, Operation operation, string objectId, string requestId)
    {
        var form = FormNode.Hash();
        if (context.Request.QueryString is { HasValue: true } query)
        {
            FormDecoder.Decode(System.Text.Encoding.UTF8.GetBytes(query.Value![1..]), form);
        }

        if (!HttpMethods.IsGet(context.Request.Method))
        {
            await ReadBodyAsync(context.Request, form);
        }

        var key = HttpMethods.IsPost(context.Request.Method)
            ? context.Request.Headers["Idempotency-Key"].ToString()
            : string.Empty;
        if (key.Length > IdempotencyStore.KeyLengthMax)
        {
            throw StripeException.Invalid(null, "Idempotency keys can be at most 255 characters long.");
        }

        CheckVersion(context);
        return new ApiRequest
        {
            RequestId = requestId,
            Operation = operation,
            ObjectId = objectId,
            Path = context.Request.Path.Value!,
            Form = form,
            IdempotencyKey = key.Length > 0 ? key : null,
        };
    }

    private static void CheckVersion(HttpContext context)
    {
        var asked = context.Request.Headers["Stripe-Version"].ToString();
        if (asked.Length > 0 && (asked.Length < 10 || !DateOnly.TryParseExact(
            asked.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)))
        {
            throw StripeException.Invalid(null, $"Invalid Stripe API version: {asked}");
        }
    }

    private static async Task ReadBodyAsync(HttpRequest request, FormNode form)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            if (read.Buffer.Length > BodyMax)
            {
                throw StripeException.Invalid(null, "The request body is too large.");
            }

            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            if (!read.Buffer.IsEmpty)
            {
                CheckContentType(request);
                FormDecoder.Decode(read.Buffer.IsSingleSegment ? read.Buffer.FirstSpan : read.Buffer.ToArray(), form);
            }

            reader.AdvanceTo(read.Buffer.End);
            return;
        }
    }

    private static void CheckContentType(HttpRequest request)
    {
        if (request.ContentType is { } type
            && !type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            throw StripeException.Invalid(
                "parameter_invalid_content_type",
                $"Invalid request: the content type must be application/x-www-form-urlencoded, not {type}.");
        }
    }
}
