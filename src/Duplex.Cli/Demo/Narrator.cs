using System.Diagnostics;
using System.Globalization;

namespace Duplex.Cli.Demo;

/// <summary>Tells the demo's story: a line per move, with the time it took; with <c>--json</c> a document at the
/// end.</summary>
internal sealed class Narrator(Session session)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(1);
    private readonly List<MoveDocument> _moves = [];

    public IReadOnlyList<MoveDocument> Moves => _moves;

    public void Say(string text)
    {
        if (!session.Json)
        {
            // Past the console, which would break lines in the middle: commands are to be copied.
            session.Terminal.Output.WriteLine(text);
            session.Terminal.Output.Flush();
        }
    }

    /// <summary>Makes a change, waits until it has arrived on the other side, and tells how long that took.</summary>
    /// <exception cref="CommandFailure">It does not arrive.</exception>
    public async Task MoveAsync(
        string direction, string what, Func<Task> change, Func<Task<bool>> arrived, CancellationToken cancellationToken)
    {
        await change().ConfigureAwait(false);
        var milliseconds = await UntilAsync(what, arrived, cancellationToken).ConfigureAwait(false);
        _moves.Add(new MoveDocument(direction, what, milliseconds));
        var time = milliseconds.ToString("N0", CultureInfo.InvariantCulture);
        Say($"  {direction,-22} {time,6} ms   {what}");
    }

    /// <summary>Waits for a condition.</summary>
    /// <returns>The milliseconds until it held.</returns>
    public static async Task<double> UntilAsync(string what, Func<Task<bool>> condition,
        CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (!await condition().ConfigureAwait(false))
        {
            if (Stopwatch.GetElapsedTime(since) > Patience)
            {
                throw new CommandFailure(ExitCode.Failed, new FailureDocument(
                    "demo.stuck", $"This did not happen within {Patience.TotalSeconds:N0} s: {what}.", null,
                    "duplex status tells what Duplex is waiting for."));
            }

            await Task.Delay(Between, cancellationToken).ConfigureAwait(false);
        }

        return Math.Round(Stopwatch.GetElapsedTime(since).TotalMilliseconds, 1);
    }

    /// <summary>One move of a record from one side to the other.</summary>
    internal sealed record MoveDocument(string Direction, string What, double Milliseconds);
}
