using Duplex.Engine.State;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.State;

/// <summary>How many links of each state and sync a transaction brings or takes, to be written before it ends.</summary>
internal sealed class LinkCounts
{
    private const string Add = """
        INSERT INTO tally (kind, owner, number) VALUES (?1, ?2, ?3)
        ON CONFLICT (kind, owner) DO UPDATE SET number = number + excluded.number
        """;

    private readonly Dictionary<(LinkState State, long Sync), long> _changes = [];

    /// <summary>A link of the state came or went.</summary>
    public void Change(LinkState state, long sync, long by) =>
        _changes[(state, sync)] = _changes.GetValueOrDefault((state, sync)) + by;

    /// <summary>Writes what changed, in the open transaction.</summary>
    public void Write(Database database)
    {
        foreach (var ((state, sync), by) in _changes)
        {
            if (by != 0)
            {
                database.Prepared(Add).Bind(1, (long)state).Bind(2, sync).Bind(3, by).Run();
            }
        }
    }
}
