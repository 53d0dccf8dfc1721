using Duplex.Engine.Feeds;
using Duplex.Engine.Push;
using Duplex.Engine.Schemas;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>One customer: which tables it gets, in which form, and from when on.</summary>
public sealed record CustomerModel
{
    /// <summary>Its name, and its feed's.</summary>
    public required string Name { get; init; }

    /// <summary>Whose changes it gets.</summary>
    public required string Tenant { get; init; }

    /// <summary><c>tenant/name</c>.</summary>
    public string FullName => $"{Tenant}/{Name}";

    /// <summary>Which life of a customer of this name it is: one that is made again after a delete begins anew.</summary>
    public int Generation { get; init; } = 1;

    /// <summary>The name under which its leg's positions and dead letters are kept: <c>tenant/name</c>, and behind it
    /// <c>~2</c> for its second life.</summary>
    public string LegName => Generation == 1 ? FullName : $"{FullName}~{Generation}";

    /// <summary>The tables, by name.</summary>
    public required IReadOnlyDictionary<string, TableModel> Tables { get; init; }

    /// <summary>Tables whose changes wait in the log until they have a mapping.</summary>
    public IReadOnlyList<string> Waiting { get; init; } = [];

    /// <summary>The schema files of its folder.</summary>
    public SchemaSet Documents { get; init; } = SchemaSet.Empty;

    /// <summary>Where it begins when it is new.</summary>
    public FeedStart Start { get; init; } = FeedStart.Latest;

    /// <summary>Its feed.</summary>
    public required FeedSpec Feed { get; init; }

    /// <summary>Where its feed is pushed to; null when it is only polled.</summary>
    public PushModel? Push { get; init; }

    /// <summary>Why it is not pushed although it should be: its secret cannot be read, say; null if nothing is wrong.</summary>
    public SyncError? PushFault { get; init; }

    /// <summary>The path in the configuration, for findings: <c>/customers/customer-a</c>.</summary>
    public required string Path { get; init; }
}

/// <summary>One table of a customer.</summary>
/// <param name="Table">The table.</param>
/// <param name="Mapping">How its changes become the customer's records.</param>
/// <param name="Schema">What its records are checked against; null for nothing.</param>
public sealed record TableModel(string Table, MappingDocument Mapping, OutputSchema? Schema)
{
    /// <summary>What changes before a position are made with, oldest first.</summary>
    public IReadOnlyList<EarlierForm> Earlier { get; init; } = [];

    /// <summary>What the change at a place of the log is made with.</summary>
    public TableModel At(int partition, long offset)
    {
        foreach (var earlier in Earlier)
        {
            if (offset < earlier.Before.GetValueOrDefault(partition))
            {
                return earlier.Form;
            }
        }

        return this;
    }
}

/// <summary>A form of a table's records that was replaced.</summary>
/// <param name="Form">What its changes are made with.</param>
/// <param name="Before">By partition: the first offset that is made with what replaced it.</param>
public sealed record EarlierForm(TableModel Form, IReadOnlyDictionary<int, long> Before);

/// <summary>Where a new customer begins.</summary>
/// <param name="Kind">Earliest, latest, a time or given offsets.</param>
/// <param name="Time">The time; changes that the log took at it or later are carried.</param>
public sealed record FeedStart(FeedStartKind Kind, DateTimeOffset Time = default)
{
    /// <summary>With what comes after the customer was made.</summary>
    public static FeedStart Latest { get; } = new(FeedStartKind.Latest);

    /// <summary>By table and partition: where to begin, for <see cref="FeedStartKind.Offsets"/>. Others begin with the
    /// latest.</summary>
    public IReadOnlyDictionary<(string Table, int Partition), long> Offsets { get; init; } =
        new Dictionary<(string, int), long>();
}

/// <summary>The kinds of <see cref="FeedStart"/>.</summary>
public enum FeedStartKind
{
    /// <summary>With what comes after the customer was made.</summary>
    Latest,
    /// <summary>With the oldest change that the log has.</summary>
    Earliest,
    /// <summary>At a time.</summary>
    Time,
    /// <summary>At given offsets.</summary>
    Offsets,
}
