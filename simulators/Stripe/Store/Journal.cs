using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Events;
using Duplex.Simulators.Stripe.Http;
using Duplex.Simulators.Stripe.Resources;

namespace Duplex.Simulators.Stripe.Store;

/// <summary>
/// Keeps the account's state in one append-only file, so that it survives the end of the process however that comes.
/// </summary>
/// <remarks>
/// Guarded by the account's gate. What a request changes and the answer kept for its key are handed to the operating
/// system in one write, so that a kill leaves both or neither. Webhooks that wait are not kept.
/// </remarks>
internal sealed class Journal : IDisposable
{
    private const string FileName = "journal.ndjson";

    private readonly FileStream file;
    private readonly ArrayBufferWriter<byte> buffer = new(4096);
    private readonly Utf8JsonWriter writer;

    private Journal(FileStream file)
    {
        this.file = file;
        writer = new Utf8JsonWriter(buffer, Json.WriterOptions);
    }

    /// <summary>Reads what the folder holds into the account and goes on writing there.</summary>
    /// <exception cref="IOException">The folder cannot be used, or another process uses it.</exception>
    public static Journal Open(string folder, Account account)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, FileName);
        var file = new FileStream(
            path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        file.SetLength(JournalReader.Restore(file, account));
        file.Seek(0, SeekOrigin.End);
        return new Journal(file);
    }

    public void Note(Transaction transaction, IReadOnlyList<StoredEvent> events, long idsIssued)
    {
        writer.WriteStartObject();
        writer.WriteNumber("ids", idsIssued);
        writer.WriteStartArray("objects");
        foreach (var change in transaction.Changes)
        {
            WriteChange(change);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("events");
        foreach (var happened in events)
        {
            WriteEvent(happened);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        EndLine();
    }

    public void Note(IdempotencyEntry entry)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("key");
        writer.WriteString("key", entry.Key);
        writer.WriteString("path", entry.Path);
        writer.WriteString("fingerprint", entry.Fingerprint.ToString("x32"));
        writer.WriteString("at", entry.At);
        writer.WriteString("request", entry.RequestId);
        writer.WriteNumber("status", entry.Response!.Status);
        writer.WriteBase64String("body", entry.Response.Body.Span);
        writer.WriteEndObject();
        writer.WriteEndObject();
        EndLine();
    }

    public void NoteSecrets(string endpointId, IReadOnlyList<string> secrets)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("secrets");
        writer.WriteStartArray(endpointId);
        foreach (var secret in secrets)
        {
            writer.WriteStringValue(secret);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        EndLine();
    }

    public void NoteCleared()
    {
        writer.WriteStartObject();
        writer.WriteBoolean("cleared", true);
        writer.WriteEndObject();
        EndLine();
    }

    /// <summary>Hands everything noted to the operating system in one write.</summary>
    public void Flush()
    {
        if (buffer.WrittenCount > 0)
        {
            file.Write(buffer.WrittenSpan);
            buffer.ResetWrittenCount();
        }
    }

    public void Dispose()
    {
        Flush();
        writer.Dispose();
        file.Dispose();
    }

    private void WriteChange(ObjectChange change)
    {
        writer.WriteStartObject();
        writer.WriteString("type", change.Resource.Path);
        writer.WriteString("id", change.Id);
        writer.WriteBoolean("deleted", change.Deleted);
        if (change.Json is not null)
        {
            writer.WritePropertyName("json");
            writer.WriteRawValue(change.Json, skipInputValidation: true);
        }

        writer.WriteEndObject();
    }

    private void WriteEvent(StoredEvent happened)
    {
        writer.WriteStartObject();
        writer.WriteString("id", happened.Id);
        writer.WriteString("type", happened.Type);
        writer.WriteNumber("created", happened.Created);
        writer.WriteString("request", happened.Cause.RequestId);
        writer.WriteString("key", happened.Cause.IdempotencyKey);
        writer.WriteBoolean("null", happened.Cause.RequestIsNull);
        writer.WritePropertyName("object");
        writer.WriteRawValue(happened.Subject, skipInputValidation: true);
        if (happened.Previous is not null)
        {
            writer.WritePropertyName("previous");
            writer.WriteRawValue(happened.Previous, skipInputValidation: true);
        }

        writer.WriteEndObject();
    }

    private void EndLine()
    {
        writer.Flush();
        writer.Reset();
        buffer.Write("\n"u8);
    }
}
