using System.Net;
using Duplex.Sdk;

namespace Duplex.Engine.Outbound;

/// <summary>
/// Checks each request's address before it is sent, and limits the answer in bytes and time. A refused address leaves as a
/// <see cref="SyncException"/>; an answer that takes too long as a cancelled task around a
/// <see cref="TimeoutException"/>, as <see cref="HttpClient"/> tells its own.
/// </summary>
internal sealed class GuardedHandler(AddressGuard guard, AddressPolicy policy, TimeProvider clock, HttpMessageHandler inner)
    : DelegatingHandler(inner)
{
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Guarded requests are sent with SendAsync.");

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (guard.Check(request.RequestUri!) is { } refused)
        {
            throw new SyncException(refused);
        }

        // HTTP/3 dials by itself, past the check of addresses.
        if (request.Version.Major > 2 || request.VersionPolicy == HttpVersionPolicy.RequestVersionOrHigher)
        {
            request.Version = request.Version.Major > 2 ? HttpVersion.Version20 : request.Version;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        }

        var deadline = new Deadline(policy.Timeout, clock);
        try
        {
            using var both = deadline.With(cancellationToken);
            var response = await base.SendAsync(request, both.Token).ConfigureAwait(false);
            if (response.Content.Headers.ContentLength > policy.ResponseBytesMax)
            {
                response.Dispose();
                throw LimitedStream.TooLong(policy.ResponseBytesMax);
            }

            response.Content = new LimitedContent(response.Content, policy.ResponseBytesMax, deadline);
            return response;
        }
        catch (Exception e)
        {
            deadline.Dispose();
            if (e is HttpRequestException { InnerException: SyncException answer })
            {
                throw new SyncException(answer.Error, e);
            }

            if (e is OperationCanceledException && deadline.IsOver && !cancellationToken.IsCancellationRequested)
            {
                throw deadline.Over(e);
            }

            throw;
        }
    }
}

/// <summary>The instant by which the last byte must be there.</summary>
internal sealed class Deadline(TimeSpan length, TimeProvider clock) : IDisposable
{
    private readonly CancellationTokenSource _over = new(length, clock);

    public bool IsOver => _over.IsCancellationRequested;

    public CancellationTokenSource With(CancellationToken cancellationToken) =>
        CancellationTokenSource.CreateLinkedTokenSource(_over.Token, cancellationToken);

    public TaskCanceledException Over(Exception e)
    {
        var message = $"The answer took longer than {length.TotalSeconds:0.#} s.";
        return new TaskCanceledException(message, new TimeoutException(message, e));
    }

    public void Dispose() => _over.Dispose();
}
