using System.Security.Cryptography;
using Duplex.Engine.Config;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>Parts of the log that are sent to customers' feeds again. Members may be called from many tasks at once.</summary>
public sealed class ReplayRegistry
{
    private readonly RegistryCore _core;

    internal ReplayRegistry(RegistryCore core) => _core = core;

    /// <summary>
    /// Begins to send a part of the log to a customer's feed again, made with what is active now. One at a time; it goes on over
    /// restarts. Records that are sent again are followed by all that is newer of them.
    /// </summary>
    /// <exception cref="RegistryException">There is no such customer or table, or a replay goes on.</exception>
    public async Task<ReplayView> StartReplayAsync(string customer, ReplayScope scope, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scope);
        await _core.One.WaitAsync(cancellationToken);
        try
        {
            var model = scope.Table is null ? _core.Require(customer) : _core.RequireTable(customer, scope.Table);
            if (await ReadReplayAsync(customer, cancellationToken) is { IsOpen: true })
            {
                throw new RegistryException(RegistryFault.Conflict, "replay.running", $"A replay of {customer} goes on.",
                    "Wait for its end, or cancel it.");
            }

            var replay = new StoredReplay(RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz234567", 8),
                StoredReplay.Running, _core.Parts.Clock.NowMicros(), await RangesAsync(model, scope, cancellationToken))
            {
                Key = scope.Key?.Json,
            };
            await _core.CommitAsync(
                [new StateMutation.PutValue(StoredNames.Replay(customer), StoredNames.Write(replay))], cancellationToken);
            _core.Customers.AskForReplay(customer);
            return View(replay);
        }
        finally
        {
            _core.One.Release();
        }
    }

    /// <summary>A customer's last replay; null if it never had one.</summary>
    public async Task<ReplayView?> ReplayAsync(string customer, CancellationToken cancellationToken)
    {
        _core.Require(customer);
        return await ReadReplayAsync(customer, cancellationToken) is { } replay ? View(replay) : null;
    }

    /// <summary>Ends a customer's replay soon: nothing more is taken up, and what was sent is followed by what is newer. False if
    /// none goes on.</summary>
    public async Task<bool> CancelReplayAsync(string customer, CancellationToken cancellationToken)
    {
        _core.Require(customer);
        if (await ReadReplayAsync(customer, cancellationToken) is not { IsOpen: true } replay)
        {
            return false;
        }

        _core.Customers.CancelReplay(customer, replay.Id);
        return true;
    }

    private async Task<IReadOnlyList<StoredReplayRange>> RangesAsync(
        CustomerModel model, ReplayScope scope, CancellationToken cancellationToken)
    {
        var partitions = await _core.Parts.Log.DescribeAsync(cancellationToken);
        var live = _core.Customers.PositionsOf(model.Name);
        var ranges = new List<StoredReplayRange>();
        IEnumerable<string> tables = scope.Table is { } one ? [one] : model.Tables.Keys.Order(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            var topic = TableTopics.Of(model.Tenant, table);
            foreach (var partition in partitions.Where(p => p.Topic == topic && scope.Holds(p.Partition)))
            {
                var end = Math.Min(partition.NextOffset, live.GetValueOrDefault((topic, partition.Partition)));
                var from = scope.From is { } time ? await AtAsync(partition, time, cancellationToken)
                    : scope.FromOf(partition.Partition) ?? partition.FirstOffset;
                var to = scope.To is { } until ? await AtAsync(partition, until, cancellationToken)
                    : scope.ToOf(partition.Partition) ?? end;
                (from, to) = (Math.Max(from, partition.FirstOffset), Math.Min(to, end));
                if (from < to)
                {
                    ranges.Add(new StoredReplayRange(table, topic, partition.Partition, from, to, from));
                }
            }
        }

        return ranges;
    }

    private ValueTask<long> AtAsync(PartitionState partition, DateTimeOffset time, CancellationToken cancellationToken) =>
        LogTimes.FirstAtAsync(_core.Parts.Log, partition, (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            cancellationToken);

    private async Task<StoredReplay?> ReadReplayAsync(string customer, CancellationToken cancellationToken) =>
        await _core.Parts.Store.ReadValueAsync(StoredNames.Replay(customer), cancellationToken) is { } text
            ? StoredNames.Read<StoredReplay>(text) : null;

    private static ReplayView View(StoredReplay replay) => new(
        replay.Id, replay.State, DateTimeOffset.UnixEpoch.AddMicroseconds(replay.AtMicros),
        replay.Ranges.Sum(static r => r.To - r.From), replay.Ranges.Sum(static r => r.Reached - r.From),
        replay.Sent, replay.Refused, replay.Error,
        [.. replay.Ranges.Select(static r => new ReplayRange(r.Topic, r.Partition, r.From, r.To))]);
}

/// <summary>Which part of the log to send again; what is not given narrows nothing.</summary>
/// <param name="Table">One table.</param>
/// <param name="Key">One record.</param>
/// <param name="From">Changes that the log took at this time or later.</param>
/// <param name="To">Changes that the log took before this time.</param>
/// <param name="Offsets">Partitions with the first offset, and the one to stop before.</param>
public sealed record ReplayScope(
    string? Table, RecordKey? Key, DateTimeOffset? From, DateTimeOffset? To,
    IReadOnlyDictionary<int, (long? From, long? To)>? Offsets)
{
    internal bool Holds(int partition) => Offsets is null || Offsets.ContainsKey(partition);

    internal long? FromOf(int partition) => Offsets?.GetValueOrDefault(partition).From;

    internal long? ToOf(int partition) => Offsets?.GetValueOrDefault(partition).To;
}

/// <summary>A replay.</summary>
/// <param name="Id">Its id: its records' source is <c>replay/&lt;id&gt;/&lt;topic&gt;/&lt;partition&gt;</c>.</param>
/// <param name="State"><c>running</c>, <c>cancelling</c>, <c>done</c>, <c>cancelled</c> or <c>failed</c>.</param>
/// <param name="At">When it was asked for.</param>
/// <param name="Changes">The offsets that it covers.</param>
/// <param name="Passed">Those among them that are dealt with.</param>
/// <param name="Sent">Records appended to the feed since it began or was resumed, newer ones of the same records included.</param>
/// <param name="Refused">Changes that the mapping or the schema refused; a record that no younger state of came through has a dead
/// letter.</param>
/// <param name="Error">The first refusal, or what ended it.</param>
/// <param name="Ranges">What it covers.</param>
public sealed record ReplayView(
    string Id, string State, DateTimeOffset At, long Changes, long Passed, long Sent, long Refused, string? Error,
    IReadOnlyList<ReplayRange> Ranges);

/// <summary>A range of a partition: from an offset to before another one.</summary>
public sealed record ReplayRange(string Topic, int Partition, long From, long To);
