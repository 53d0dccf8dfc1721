using System.Net.ServerSentEvents;

namespace Duplex.Server.Tests;

/// <summary>Reads server-sent events of a response as .NET's own parser understands them.</summary>
internal sealed class EventReader(HttpResponseMessage response) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly IAsyncEnumerator<SseItem<string>> _events =
        SseParser.Create(response.Content.ReadAsStream()).EnumerateAsync().GetAsyncEnumerator();

    public async Task<(string? Id, string Data)> NextAsync()
    {
        if (!await _events.MoveNextAsync().AsTask().WaitAsync(Patience))
        {
            throw new EndOfStreamException("The stream of events has ended.");
        }

        return (_events.Current.EventId, _events.Current.Data);
    }

    /// <summary>Whether the stream ends without another event.</summary>
    public async Task<bool> EndsAsync() => !await _events.MoveNextAsync().AsTask().WaitAsync(Patience);

    public ValueTask DisposeAsync()
    {
        response.Dispose();
        return ValueTask.CompletedTask;
    }
}
