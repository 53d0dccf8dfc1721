using System.Collections.Concurrent;
using Duplex.Engine.State;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>Numbers for sync names, so that rows and indexes hold eight octets at most instead of a name.</summary>
internal sealed class SyncNames
{
    private readonly ConcurrentDictionary<string, long> _numbers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _names = new();

    public void Load(Database database)
    {
        foreach (var (number, name) in database.Prepared(StateSql.LoadSyncs)
            .All(static row => (row.Int64(0), row.Text(1))))
        {
            Add(name, number);
        }
    }

    /// <summary>The sync's number; -1, which no row has, if nothing was ever stored for it.</summary>
    public long Number(string sync) => _numbers.TryGetValue(sync, out var number) ? number : -1;

    /// <summary>The leg's number; negative if nothing was ever stored for its sync.</summary>
    public long Leg(LegId leg) => (Number(leg.Sync) * 2) + (long)leg.From;

    public string Name(long number) => _names[number];

    public LegId Leg(long number) => new(_names[number / 2], (Side)(number % 2));

    public bool IsKnown(string sync) => _numbers.ContainsKey(sync);

    /// <summary>Writes a name, in a transaction of its own; several callers may bring the same one.</summary>
    public static long Insert(Database database, string sync)
    {
        var row = database.Prepared("SELECT id FROM sync WHERE name = ?1").Bind(1, sync);
        if (row.Scalar() is { } number)
        {
            return number;
        }

        database.Prepared(StateSql.InsertSync).Bind(1, sync).Run();
        return database.LastRowId;
    }

    public void Add(string sync, long number)
    {
        _names[number] = sync;
        _numbers[sync] = number;
    }

    /// <summary>The names that a commit uses and that have no number yet; null if all have.</summary>
    public HashSet<string>? Unknown(StateCommit commit)
    {
        HashSet<string>? unknown = null;
        foreach (var mutation in commit.Mutations)
        {
            Collect(SyncOf(mutation), ref unknown);
        }

        foreach (var position in commit.Positions)
        {
            Collect(position.Leg.Sync, ref unknown);
        }

        return unknown;
    }

    private void Collect(string? sync, ref HashSet<string>? unknown)
    {
        if (sync is not null && !IsKnown(sync))
        {
            (unknown ??= new HashSet<string>(StringComparer.Ordinal)).Add(sync);
        }
    }

    private static string? SyncOf(StateMutation mutation) => mutation switch
    {
        StateMutation.PutLink put => put.Link.Sync,
        StateMutation.PutPending put => put.Pending.Leg.Sync,
        StateMutation.RemovePending remove => remove.Leg.Sync,
        StateMutation.PutDeadLetter put => put.Letter.Leg.Sync,
        StateMutation.RemoveDeadLetter remove => remove.Leg.Sync,
        StateMutation.PutIntent put => put.Intent.Leg.Sync,
        StateMutation.RemoveIntent remove => remove.Leg.Sync,
        StateMutation.PutCandidate put => put.Candidate.Sync,
        StateMutation.RemoveCandidate remove => remove.Sync,
        StateMutation.AddTimeline add => add.Event.Sync,
        StateMutation.PutConflict put => put.Conflict.Sync,
        StateMutation.PutVersion put => put.Leg.Sync,
        _ => null,
    };
}
