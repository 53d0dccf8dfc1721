using Duplex.Conformance;
using Duplex.Engine.Log;
using Duplex.Engine.State;

namespace Duplex.Storage.Embedded.Tests;

public sealed class EmbeddedChangeLogConformance : ChangeLogConformance
{
    private readonly DataDirectory _directory = new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }

    protected override async Task<IChangeLog> OpenAsync() =>
        await EmbeddedChangeLog.OpenAsync(_directory.Root, new EmbeddedOptions { Clock = Clock });
}

public sealed class EmbeddedLogRetentionConformance : LogRetentionConformance
{
    private readonly DataDirectory _directory = new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }

    protected override async Task<IChangeLog> OpenAsync() =>
        await EmbeddedChangeLog.OpenAsync(_directory.Root, new EmbeddedOptions { Clock = Clock });
}

public sealed class EmbeddedStateStoreConformance : StateStoreConformance
{
    private readonly DataDirectory _directory = new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }

    protected override async Task<IStateStore> OpenAsync() =>
        await EmbeddedStateStore.OpenAsync(_directory.Root, new EmbeddedOptions { Clock = Clock });
}

public sealed class EmbeddedStateWorkConformance : StateWorkConformance
{
    private readonly DataDirectory _directory = new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }

    protected override async Task<IStateStore> OpenAsync() =>
        await EmbeddedStateStore.OpenAsync(_directory.Root, new EmbeddedOptions { Clock = Clock });
}
