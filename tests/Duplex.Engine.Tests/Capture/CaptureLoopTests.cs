using System.Runtime.CompilerServices;
using Duplex.Engine.Capture;
using Duplex.Engine.Config;
using Duplex.Engine.Connections;
using Duplex.Engine.Delivery;
using Duplex.Sdk;
using Duplex.Storage.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Engine.Tests.Capture;

public sealed class CaptureLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_snapshot_asked_for_just_before_a_stop_is_refused_and_nobody_waits_for_ever()
    {
        var folder = Directory.CreateTempSubdirectory("duplex-capture-").FullName;
        var system = new SlowSystem();
        var connection = new ConnectionModel("shop", "acme", system, null!);
        await using var log = await EmbeddedChangeLog.OpenAsync(folder);
        await using var store = await EmbeddedStateStore.OpenAsync(folder);
        var model = new EngineModel
        {
            DataDirectory = folder,
            Connections = new Dictionary<string, ConnectionModel> { ["shop"] = connection },
            Syncs = new Dictionary<string, SyncModel>(),
        };
        var parts = new EngineParts(
            model, log, store, new RateBudget(TimeProvider.System), TimeProvider.System, NullLoggerFactory.Instance);
        await using var runtime = new ConnectionRuntime(connection, parts, ["customers"]);
        await using var loop = new CaptureLoop(runtime, [new StreamUse("customers", true, false, false)], parts);
        using var stop = new CancellationTokenSource();
        var running = loop.RunAsync(stop.Token);
        await system.Reading.WaitAsync(Patience);

        var asked = loop.ResnapshotAsync(() => Task.CompletedTask, CancellationToken.None).AsTask();
        await stop.CancelAsync();
        system.Let();
        await running.WaitAsync(Patience);
        (await Should.ThrowAsync<SyncException>(() => asked.WaitAsync(Patience)))
            .Error.Code.ShouldBe(ErrorCode.SourceUnavailable);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A system whose reading ends some time after it was told to.</summary>
    private sealed class SlowSystem : IConnector, IRecordSource, IRecordSink, IRecordReader
    {
        private readonly TaskCompletionSource _reading = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _let = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reading => _reading.Task;

        public ConnectorSpec Spec { get; } = new()
        {
            Name = "slow",
            Summary = "A slow system.",
            Settings = [],
            Capabilities = new ConnectorCapabilities { OrderedStream = true },
        };

        public SourceState State { get; } = new(SourcePhase.Streaming);

        public void Let() => _let.SetResult();

        public async IAsyncEnumerable<ChangeBatch> ReadAsync(
            Position? from, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            _reading.TrySetResult();
            await _let.Task;
            cancellationToken.ThrowIfCancellationRequested();
            yield break;
        }

        public Task<IReadOnlyList<Finding>> CheckAsync(
            ConnectorContext context, IReadOnlyList<StreamUse> uses, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<Finding>>([]);

        public Task<StreamSchema> DescribeAsync(
            ConnectorContext context, string stream, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public IRecordSource OpenSource(ConnectorContext context, IReadOnlyList<string> streams) => this;

        public IRecordSink OpenSink(ConnectorContext context) => this;

        public IRecordReader OpenReader(ConnectorContext context) => this;

        public ValueTask ConfirmAsync(Position position, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public Task<Position?> ResnapshotAsync(Position? saved, CancellationToken cancellationToken) =>
            Task.FromResult<Position?>(new Position((saved?.Epoch ?? 0) + 1, 0, 0));

        public Task RemoveAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<IReadOnlyList<WriteOutcome>> WriteAsync(
            IReadOnlyList<WriteRequest> requests, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<FetchedRecord?>> FetchAsync(
            string stream, IReadOnlyList<RecordKey> keys, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<IReadOnlyList<FetchedRecord>> ListAsync(
            string stream, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<long> EstimateAsync(string stream, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
