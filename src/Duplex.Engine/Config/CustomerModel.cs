using System.Text.Json;
using Duplex.Engine.Feeds;

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

    /// <summary>The tables, by name.</summary>
    public required IReadOnlyDictionary<string, TableModel> Tables { get; init; }

    /// <summary>Where it begins when it is new.</summary>
    public FeedStart Start { get; init; } = FeedStart.Latest;

    /// <summary>Its feed.</summary>
    public required FeedSpec Feed { get; init; }

    /// <summary>The path in the configuration, for findings: <c>/customers/customer-a</c>.</summary>
    public required string Path { get; init; }
}

/// <summary>One table of a customer.</summary>
/// <param name="Table">The table.</param>
/// <param name="Mapping">How its changes become the customer's records.</param>
/// <param name="Refusal">Why the customer's schema refuses an output record; null when it takes it. Null for no schema.</param>
public sealed record TableModel(string Table, MappingDocument Mapping, Func<JsonElement, string?>? Refusal);

/// <summary>Where a new customer begins.</summary>
/// <param name="Kind">Earliest, latest or a time.</param>
/// <param name="Time">The time; changes that the log took at it or later are carried.</param>
public sealed record FeedStart(FeedStartKind Kind, DateTimeOffset Time = default)
{
    /// <summary>With what comes after the customer was made.</summary>
    public static FeedStart Latest { get; } = new(FeedStartKind.Latest);
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
}
