using System.Collections.Concurrent;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Push;

/// <summary>Carries what people ask of a pusher to its loop, and the answers back.</summary>
internal sealed class PushCommands(Bell bell)
{
    private readonly ConcurrentQueue<Command> _queue = new();

    public async Task AskAsync(Func<PushRun, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        var command = new Command(work, cancellationToken);
        _queue.Enqueue(command);
        bell.Ring();
        await command.Done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does what was asked; what the store refuses for a while is done again later.</summary>
    public async Task RunAsync(PushRun run, CancellationToken cancellationToken)
    {
        while (_queue.TryPeek(out var command))
        {
            if (!command.Asker.IsCancellationRequested)
            {
                try
                {
                    await command.Work(run, cancellationToken).ConfigureAwait(false);
                    command.Done.TrySetResult();
                }
                catch (SyncException e) when (e.Error.Code is ErrorCode.SourceGap or ErrorCode.BrakeEngaged)
                {
                    command.Done.TrySetException(e);
                }
            }

            _queue.TryDequeue(out _);
        }
    }

    private sealed record Command(Func<PushRun, CancellationToken, Task> Work, CancellationToken Asker)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
