using System.Globalization;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Views;

/// <summary>A bar with rate and time left for work that takes its time; nothing where nobody looks.</summary>
internal static class ProgressView
{
    public static async Task<T> RunAsync<T>(Session session, string first, Func<Action<ProgressDocument>, Task<T>> work)
    {
        if (!session.Terminal.Screen || session.Json)
        {
            return await work(static _ => { }).ConfigureAwait(false);
        }

        return await session.Terminal.Errors.Progress().AutoClear(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(),
                new RemainingTimeColumn())
            .StartAsync(async bar =>
            {
                var task = bar.AddTask(first, maxValue: 1);
                task.IsIndeterminate = true;
                return await work(progress => Show(task, progress)).ConfigureAwait(false);
            }).ConfigureAwait(false);
    }

    private static void Show(ProgressTask task, ProgressDocument progress)
    {
        var rate = task.Speed is { } speed ? $", {speed.ToString("N0", CultureInfo.InvariantCulture)}/s" : "";
        task.Description = Markup.Escape(
            $"{progress.Doing} ({progress.Done.ToString("N0", CultureInfo.InvariantCulture)}{rate})");
        task.IsIndeterminate = progress.Expected <= 0;
        task.MaxValue = Math.Max(1, progress.Expected);
        task.Value = progress.Done;
    }
}
