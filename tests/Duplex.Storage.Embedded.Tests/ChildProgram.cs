using System.Globalization;
using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;
using static Duplex.Engine.State.StateMutation;

namespace Duplex.Storage.Embedded.Tests;

/// <summary>
/// What the crash tests run in a process of its own: it writes without end and tells on its output what the store has
/// acknowledged.
/// </summary>
internal static class ChildProgram
{
    /// <summary>Writers that run at once in the child.</summary>
    public const int Writers = 8;

    /// <summary>Feeds that the child's writers share.</summary>
    public const int Feeds = 3;

    /// <summary>Partitions of the child's topic.</summary>
    public const int Partitions = 4;

    private static readonly Lock _output = new();

    public static async Task<int> Main(string[] arguments)
    {
        var directory = arguments[1];
        try
        {
            await (arguments[0] switch
            {
                "log" => WriteLogAsync(directory),
                "state" => WriteStateAsync(directory),
                "feed" => WriteFeedsAsync(directory),
                "hold" => HoldAsync(directory),
                _ => throw new ArgumentException($"No mode {arguments[0]}."),
            });
            return 0;
        }
        catch (SyncException e)
        {
            Say($"failed {ErrorCodes.Dotted(e.Error.Code)}");
            return 3;
        }
    }

    private static async Task WriteLogAsync(string directory)
    {
        await using var log = await EmbeddedChangeLog.OpenAsync(directory);
        await log.EnsureAsync(Partitions);
        await Task.WhenAny(Enumerable.Range(0, Writers).Select(writer => WriteLogAsync(log, writer))).Unwrap();
    }

    private static async Task WriteLogAsync(IChangeLog log, int writer)
    {
        var source = $"source{writer}";
        var stored = await log.ReadPositionAsync(source, CancellationToken.None);
        for (var n = (stored?.Major ?? 0) + 1; ; n++)
        {
            var text = n.ToString(CultureInfo.InvariantCulture);
            using var batch =
                LogFacts.Batch(new Position(1, n, 0), $"{writer}:{text}:0", $"{writer}:{text}:1", $"{writer}:{text}:2");
            await log.AppendAsync(source, batch, static _ => LogFacts.Topic, CancellationToken.None);
            Say($"stored {writer} {text}");
        }
    }

    private static async Task WriteStateAsync(string directory)
    {
        await using var store = await EmbeddedStateStore.OpenAsync(directory);
        await Task.WhenAny(Enumerable.Range(0, Writers).Select(writer => WriteStateAsync(store, writer))).Unwrap();
    }

    private static async Task WriteStateAsync(IStateStore store, int writer)
    {
        var leg = new LegId($"acme/{writer}", Side.A);
        var epoch = await store.AcquireAsync(leg.ToString(), CancellationToken.None);
        var positions = await store.ReadPositionsAsync(leg, CancellationToken.None);
        for (var n = positions.Count == 0 ? 1 : positions[0].Offset + 1; ; n++)
        {
            var link = StateFacts.Link(store.NextLinkId(), $"a{n}", $"b{n}", leg.Sync);
            var commit = StateFacts.Commit(leg.ToString(), epoch, new PutLink(link), new PutValue(leg.Sync, $"{n}"));
            commit.Positions.Add(new LegPosition(leg, "t", 0, n));
            await store.CommitAsync(commit, CancellationToken.None);
            Say($"stored {writer} {n}");
        }
    }

    private static async Task WriteFeedsAsync(string directory)
    {
        await using var store = await EmbeddedFeedStore.OpenAsync(directory);
        var epochs = new long[Feeds];
        for (var feed = 0; feed < Feeds; feed++)
        {
            epochs[feed] = await store.AcquireAsync($"customer-{feed}");
        }

        await Task.WhenAny(Enumerable.Range(0, Writers)
            .Select(writer => WriteFeedAsync(store, writer, epochs[writer % Feeds]))).Unwrap();
    }

    private static async Task WriteFeedAsync(IFeedStore store, int writer, long epoch)
    {
        var feed = $"customer-{writer % Feeds}";
        var source = $"users/{writer}";
        var stored = await store.ReadSourcesAsync(feed, source, CancellationToken.None);
        for (var n = (stored.GetValueOrDefault(source, -1) + 1) / 3; ; n++)
        {
            // The batch begins with what was stored already, as after a crash between the feed and the leg's position.
            var items = FeedFacts.Items(Math.Max(0, (n * 3) - 2), n == 0 ? 3 : 5);
            var appended = await store.AppendAsync(epoch, items, source, feed);
            await store.CommitConsumerAsync(feed, source, appended.LastOffset, false, CancellationToken.None);
            Say($"stored {writer} {n}");
        }
    }

    private static async Task HoldAsync(string directory)
    {
        await using var log = await EmbeddedChangeLog.OpenAsync(directory);
        await using var store = await EmbeddedStateStore.OpenAsync(directory);
        Say("ready");
        await Console.In.ReadToEndAsync();
    }

    private static void Say(string line)
    {
        lock (_output)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }
}
