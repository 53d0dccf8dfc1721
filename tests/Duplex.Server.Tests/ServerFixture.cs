using Xunit;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Duplex.Server.Tests;

/// <summary>One server for the tests of a class that change nothing on it.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    internal RunningServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await RunningServer.StartAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
