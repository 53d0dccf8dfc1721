using System.Diagnostics;
using Duplex.Engine.State;
using Duplex.Sdk;
using Duplex.Storage.Embedded.Commits;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>One leg's outcomes and positions on their way to the disk.</summary>
internal sealed class CommitRequest(Database database, SyncNames names, StateCommit commit, TimeProvider clock)
    : WriteRequest<bool>
{
    private const int BytesPerMutation = 512;

    /// <inheritdoc/>
    public override bool NeedsSavepoint { get; } = commit.Mutations.Exists(static m => m is StateMutation.PutLink);

    /// <inheritdoc/>
    public override int Bytes => commit.Mutations.Count * BytesPerMutation;

    /// <inheritdoc/>
    public override void Apply()
    {
        CheckEpoch();
        var links = new LinkCounts();
        foreach (var mutation in commit.Mutations)
        {
            Apply(mutation, links);
        }

        links.Write(database);

        foreach (var position in commit.Positions)
        {
            database.Prepared(StateSql.PutPosition).Bind(1, names.Leg(position.Leg)).Bind(2, position.Topic)
                .Bind(3, position.Partition).Bind(4, position.Offset).Run();
        }
    }

    private void CheckEpoch()
    {
        var epoch = database.Prepared(StateSql.ReadEpoch).Bind(1, commit.Owner).Scalar() ?? 0;
        if (epoch != commit.Epoch)
        {
            throw new SyncException(ErrorCode.StorageFenced,
                $"{commit.Owner} was taken over: its epoch is {epoch}, this commit's is {commit.Epoch}.",
                "Nothing is lost: the new owner repeats what was not recorded.");
        }
    }

    private void Apply(StateMutation mutation, LinkCounts links)
    {
        switch (mutation)
        {
            case StateMutation.PutLink put:
                LinkRows.Write(database, names, put.Link, clock.NowMicros(), links);
                break;
            case StateMutation.RemoveLink remove:
                LinkRows.Remove(database, remove.Id, links);
                break;
            case StateMutation.PutPending put:
                PendingRows.Write(database, names, put.Pending);
                break;
            case StateMutation.RemovePending remove:
                PendingRows.Remove(database, names, remove.Leg, remove.Key);
                break;
            case StateMutation.PutDeadLetter put:
                DeadLetterRows.Write(database, names, put.Letter);
                break;
            case StateMutation.RemoveDeadLetter remove:
                DeadLetterRows.Remove(database, names, remove.Leg, remove.Key, remove.Stream);
                break;
            case StateMutation.PutIntent put:
                IntentRows.Write(database, names, put.Intent);
                break;
            case StateMutation.RemoveIntent remove:
                IntentRows.Remove(database, names, remove.Leg, remove.Key);
                break;
            case StateMutation.PutCandidate put:
                CandidateRows.Write(database, names, put.Candidate);
                break;
            case StateMutation.RemoveCandidate remove:
                CandidateRows.Remove(database, names, remove.Sync, remove.Side, remove.Key);
                break;
            case StateMutation.AddTimeline add:
                TimelineRows.Write(database, names, add.Event);
                break;
            case StateMutation.PutConflict put:
                ConflictRows.Write(database, names, put.Conflict);
                break;
            case StateMutation.RemoveConflict remove:
                ConflictRows.Remove(database, names, remove);
                break;
            case StateMutation.SettleConflicts settle:
                ConflictRows.Settle(database, names, settle);
                break;
            case StateMutation.PutVersion put:
                VersionRows.Write(database, names, put);
                break;
            case StateMutation.ForgetVersions forget:
                VersionRows.Forget(database, names, forget.Leg);
                break;
            case StateMutation.PutValue put:
                PutValue(put.Name, put.Value);
                break;
            default:
                throw new UnreachableException($"No rows for {mutation.GetType().Name}.");
        }
    }

    private void PutValue(string name, string? value)
    {
        if (value is null)
        {
            database.Prepared(StateSql.DeleteValue).Bind(1, name).Run();
            return;
        }

        database.Prepared(StateSql.PutValue).Bind(1, name).Bind(2, value).Run();
    }
}
