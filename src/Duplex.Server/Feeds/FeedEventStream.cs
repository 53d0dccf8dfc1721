using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Duplex.Client;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Server.Feeds;

/// <summary>Sends records as server-sent events, each with its offset as its id, until the reader leaves.</summary>
internal sealed class FeedEventStream(FeedPoll poll, FeedSlice first, CancellationToken stopping) : IResult
{
    private readonly ArrayBufferWriter<byte> _record = new();

    /// <summary>How long nothing may be sent, so that proxies keep the connection and a reader that left is noticed.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var aborted = httpContext.RequestAborted;
        var response = httpContext.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        var body = response.BodyWriter;
        body.Write("retry: 2000\n\n"u8);
        await body.FlushAsync(aborted).ConfigureAwait(false);
        var slice = first;
        while (!stopping.IsCancellationRequested)
        {
            if (slice.Records.Count == 0)
            {
                body.Write(": \n\n"u8);
            }

            await SendAsync(body, slice, aborted).ConfigureAwait(false);
            await poll.AcknowledgeAsync(slice, aborted).ConfigureAwait(false);
            try
            {
                slice = await poll.ReadAsync(slice.NextOffset, aborted).ConfigureAwait(false);
                slice = await poll.WaitAsync(slice, Heartbeat, stopping, aborted).ConfigureAwait(false);
            }
            catch (SyncException e) when (e.Error.Code == ErrorCode.SourceGap)
            {
                await TellGapAsync(body, e.Error, aborted).ConfigureAwait(false);
                return;
            }
        }
    }

    private async ValueTask SendAsync(PipeWriter body, FeedSlice slice, CancellationToken aborted)
    {
        foreach (var record in slice.Records)
        {
            Write(body, record);
            var sent = await body.FlushAsync(aborted).ConfigureAwait(false);
            if (sent.IsCompleted)
            {
                throw new OperationCanceledException(aborted);
            }
        }

        await body.FlushAsync(aborted).ConfigureAwait(false);
    }

    private void Write(PipeWriter body, FeedRecord record)
    {
        _record.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_record, FeedPageAnswer.Writing))
        {
            FeedRecordJson.Write(json, poll.Customer, record);
        }

        body.Write("id: "u8);
        var id = body.GetSpan(20);
        record.Offset.TryFormat(id, out var length, provider: CultureInfo.InvariantCulture);
        body.Advance(length);
        body.Write("\ndata: "u8);
        WriteLine(body, _record.WrittenSpan);
        body.Write("\n\n"u8);
    }

    /// <summary>Line ends within JSON are blanks between its tokens; within an event they would end its line.</summary>
    private static void WriteLine(PipeWriter body, ReadOnlySpan<byte> json)
    {
        var line = body.GetSpan(json.Length);
        json.CopyTo(line);
        line[..json.Length].Replace((byte)0x0A, (byte)0x20);
        line[..json.Length].Replace((byte)0x0D, (byte)0x20);
        body.Advance(json.Length);
    }

    private async ValueTask TellGapAsync(PipeWriter body, SyncError gap, CancellationToken aborted)
    {
        var refusal = await poll.GoneAsync(gap, aborted).ConfigureAwait(false);
        body.Write("event: gone\ndata: "u8);
        body.Write(JsonSerializer.SerializeToUtf8Bytes(refusal.Problem, DuplexJson.Compact));
        body.Write("\n\n"u8);
        await body.FlushAsync(aborted).ConfigureAwait(false);
    }
}
