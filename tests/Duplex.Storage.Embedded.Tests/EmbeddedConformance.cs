using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.State;

namespace Duplex.Storage.Embedded.Tests;

public sealed class EmbeddedChangeLogConformance() : ChangeLogConformance(new EmbeddedLogBed());

public sealed class EmbeddedLogRetentionConformance() : LogRetentionConformance(new EmbeddedLogBed());

public sealed class EmbeddedLogShareConformance() : LogShareConformance(new EmbeddedLogBed());

public sealed class EmbeddedStateStoreConformance() : StateStoreConformance(new EmbeddedStateBed());

public sealed class EmbeddedStateWorkConformance() : StateWorkConformance(new EmbeddedStateBed());

public sealed class EmbeddedFeedStoreConformance() : FeedStoreConformance(new EmbeddedFeedBed());

public sealed class EmbeddedFeedDeliveryConformance() : FeedDeliveryConformance(new EmbeddedFeedBed());

internal sealed class EmbeddedLogBed : IBed<IChangeLog>
{
    private readonly DataDirectory _directory = new();

    public async Task<IChangeLog> OpenAsync(TimeProvider clock) =>
        await EmbeddedChangeLog.OpenAsync(_directory.Root, new EmbeddedOptions { Clock = clock });

    public void Dispose() => _directory.Dispose();
}

internal sealed class EmbeddedStateBed : IBed<IStateStore>
{
    private readonly DataDirectory _directory = new();

    public async Task<IStateStore> OpenAsync(TimeProvider clock) =>
        await EmbeddedStateStore.OpenAsync(_directory.Root, new EmbeddedOptions { Clock = clock });

    public void Dispose() => _directory.Dispose();
}

internal sealed class EmbeddedFeedBed : IBed<IFeedStore>
{
    private readonly DataDirectory _directory = new();

    public async Task<IFeedStore> OpenAsync(TimeProvider clock) =>
        await EmbeddedFeedStore.OpenAsync(_directory.Root, new EmbeddedOptions { Clock = clock });

    public void Dispose() => _directory.Dispose();
}
