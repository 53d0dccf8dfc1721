using System.Buffers;
using System.Globalization;
using System.Text;

namespace Duplex.Simulators.Stripe.Events;

/// <summary>Writes an event's JSON without parsing the object that it carries.</summary>
internal static class EventRendering
{
    /// <summary>The event as the API answers it and webhooks carry it.</summary>
    /// <param name="happened">The event.</param>
    /// <param name="apiVersion">Version that the payload is rendered in.</param>
    /// <param name="spaced">
    /// Whether the envelope is spread over lines, as webhook bodies are: a receiver that signs anything but the raw
    /// bytes then fails.
    /// </param>
    public static byte[] Render(StoredEvent happened, string apiVersion, bool spaced = false)
    {
        var buffer = new ArrayBufferWriter<byte>(happened.Subject.Length + 512);
        Write(buffer, happened, apiVersion, spaced);
        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(
        IBufferWriter<byte> buffer, StoredEvent happened, string apiVersion, bool spaced = false)
    {
        var gap = spaced ? "\n  " : string.Empty;
        var colon = spaced ? ": " : ":";
        Append(buffer, $$"""{{{gap}}"id"{{colon}}"{{happened.Id}}",{{gap}}"object"{{colon}}"event",""");
        Append(buffer, $"{gap}\"api_version\"{colon}\"{apiVersion}\",{gap}\"created\"{colon}");
        Append(buffer, happened.Created.ToString(CultureInfo.InvariantCulture));
        Append(buffer, $$""",{{gap}}"data"{{colon}}{"object":""");
        buffer.Write(happened.Subject);
        if (happened.Previous is not null)
        {
            Append(buffer, ",\"previous_attributes\":");
            buffer.Write(happened.Previous);
        }

        Append(buffer, $"}},{gap}\"livemode\"{colon}false,{gap}\"pending_webhooks\"{colon}");
        Append(buffer, Math.Max(0, happened.PendingWebhooks).ToString(CultureInfo.InvariantCulture));
        Append(buffer, $",{gap}\"request\"{colon}{Request(happened.Cause)},{gap}\"type\"{colon}\"{happened.Type}\"");
        Append(buffer, spaced ? "\n}" : "}");
    }

    private static string Request(EventCause cause) => cause.RequestIsNull
        ? "null"
        : $$"""{"id":{{Quoted(cause.RequestId)}},"idempotency_key":{{Quoted(cause.IdempotencyKey)}}}""";

    private static string Quoted(string? text) => text is null
        ? "null"
        : "\"" + System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text) + "\"";

    private static void Append(IBufferWriter<byte> buffer, string text) =>
        Encoding.UTF8.GetBytes(text, buffer);
}
