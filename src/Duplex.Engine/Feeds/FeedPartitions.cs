using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Feeds;

/// <summary>
/// The partitions that are a leg's own: each has a reader from the moment it is given until it is called back or lost. Whoever is
/// given a partition raises its epoch in the state store before it asks where to begin, which shuts out the one that had it.
/// </summary>
internal sealed class FeedPartitions(FeedLeg leg, IStateStore store, IReadOnlyDictionary<string, string> tables)
{
    // Longer than a member that is cut off takes to find out that it is no member any more.
    private static readonly TimeSpan RestAfterFenced = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(string Topic, int Partition), Task> _readers = [];
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The name that owns a partition of a leg in the state store.</summary>
    public static string OwnerOf(LegId leg, string topic, int partition) => $"{leg}|{topic}/{partition}";

    /// <summary>Reads what the share gives until cancelled (throws that) or broken (throws what broke it).</summary>
    public async Task RunAsync(PartitionShare share, CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (true)
            {
                var given = share.TakeAsync(reading.Token).AsTask();
                if (await Task.WhenAny(given, _broken.Task) == _broken.Task)
                {
                    await _broken.Task;
                }

                Start(await given, reading.Token);
                leg.View.Set(RunState.Running);
            }
        }
        finally
        {
            await reading.CancelAsync();
            await Task.WhenAll(_readers.Values);
        }
    }

    private void Start(IReadOnlyList<PartitionHold> holds, CancellationToken cancellationToken)
    {
        var known = holds.Where(h => tables.ContainsKey(h.Topic)).ToList();
        foreach (var hold in holds.Except(known))
        {
            hold.Release();
        }

        // A reader that was lost may still be ending: what it began goes first.
        var before = known.Select(h => _readers.GetValueOrDefault((h.Topic, h.Partition), Task.CompletedTask)).ToList();
        var claims = ClaimAsync(known, Task.WhenAll(before), cancellationToken);
        foreach (var hold in known)
        {
            leg.View.Owned[(hold.Topic, hold.Partition)] = hold;
            _readers[(hold.Topic, hold.Partition)] = Task.Run(() => RunAsync(hold, claims, cancellationToken), CancellationToken.None);
        }
    }

    private async Task RunAsync(
        PartitionHold hold, Task<IReadOnlyDictionary<PartitionHold, Claim>> claims, CancellationToken cancellationToken)
    {
        try
        {
            if ((await claims).TryGetValue(hold, out var claim))
            {
                await ReadAsync(hold, claim, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || hold.CalledBack.IsCancellationRequested)
        {
            // It ends as it was asked to.
        }
        catch (Exception e)
        {
            _broken.TrySetException(e);
        }
        finally
        {
            leg.View.Disown(hold);
            leg.View.SetTrouble(hold.Topic, hold.Partition, null);
            hold.Release();
        }
    }

    /// <summary>Reads until the end, and again where another owner shut it out that is not the partition's by right.</summary>
    private async Task ReadAsync(PartitionHold hold, Claim claim, CancellationToken cancellationToken)
    {
        while (await new FeedReader(leg, tables[hold.Topic], hold, claim).RunAsync(cancellationToken) is { } fenced)
        {
            leg.View.Disown(hold);
            leg.View.SetTrouble(hold.Topic, hold.Partition, fenced);
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hold.CalledBack);
            await Task.Delay(RestAfterFenced, leg.Clock, waiting.Token);
            if (!(await ClaimAsync([hold], Task.CompletedTask, waiting.Token)).TryGetValue(hold, out claim!))
            {
                return;
            }

            leg.View.Owned[(hold.Topic, hold.Partition)] = hold;
            leg.View.SetTrouble(hold.Topic, hold.Partition, null);
        }
    }

    /// <summary>Shuts out whoever had the partitions, then asks where they stand. Those that are called back meanwhile are left
    /// out.</summary>
    private async Task<IReadOnlyDictionary<PartitionHold, Claim>> ClaimAsync(
        IReadOnlyList<PartitionHold> holds, Task before, CancellationToken cancellationToken)
    {
        await before;
        var wanted = holds.Where(static h => !h.CalledBack.IsCancellationRequested).ToList();
        var epochs = await Task.WhenAll(wanted.Select(h =>
            store.AcquireAsync(OwnerOf(leg.Id, h.Topic, h.Partition), cancellationToken).AsTask()));
        var positions = wanted.Count == 0 ? [] : await store.ReadPositionsAsync(leg.Id, cancellationToken);
        await leg.LookForLettersAsync(cancellationToken);
        return wanted.Zip(epochs).ToDictionary(static h => h.First, h => new Claim(
            OwnerOf(leg.Id, h.First.Topic, h.First.Partition), h.Second,
            positions.First(p => p.Topic == h.First.Topic && p.Partition == h.First.Partition).Offset));
    }
}

/// <summary>The right to record a partition's position, and where that stands.</summary>
/// <param name="Owner">The owner's name in the state store.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Offset">The next offset that is wanted.</param>
internal sealed record Claim(string Owner, long Epoch, long Offset);
