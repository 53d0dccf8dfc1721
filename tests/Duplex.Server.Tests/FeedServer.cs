using System.Text;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Server.Tests;

/// <summary>Fills feeds of a running server, as its engine does.</summary>
internal static class FeedServer
{
    public const string Customer = "customer-a";

    /// <summary>Appends records of the table users.</summary>
    public static Task SeedAsync(RunningServer server, int count, string customer = Customer, string table = "users") =>
        AppendAsync(server, customer, [.. Enumerable.Range(0, count).Select(n => $$"""{"n":{{n}}}""")], table);

    /// <summary>Appends records with the given data.</summary>
    public static async Task AppendAsync(
        RunningServer server, string customer, string[] data, string table = "users")
    {
        var store = server.Host.Engine.Parts.Feeds!;
        var epoch = await store.AcquireAsync(
            new FeedSpec(customer, TimeSpan.FromDays(7), 1L << 30), CancellationToken.None);
        var source = $"{table}/0";
        var last = (await store.ReadSourcesAsync(customer, source, CancellationToken.None))
            .GetValueOrDefault(source, -1);
        await store.AppendAsync(customer, epoch, source,
            [.. data.Select((text, n) => Item(last + 1 + n, text, table))], CancellationToken.None);
    }

    private static FeedItem Item(long offset, string data, string table) => new(
        offset, table, Encoding.UTF8.GetBytes($"[\"{offset}\"]"), ChangeOperation.Create, $"evt-{offset}", "7",
        1_700_000_000_123_456, Encoding.UTF8.GetBytes(data));
}
