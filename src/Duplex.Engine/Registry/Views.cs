using Duplex.Engine.Config;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>Where a document comes from.</summary>
public enum Origin
{
    /// <summary>The configuration file, or a file that it names.</summary>
    File,
    /// <summary>The API; it overrides what the files say.</summary>
    Api,
}

/// <summary>A place of the log.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The first offset that it is about.</param>
public sealed record EffectivePosition(string Topic, int Partition, long Offset);

/// <summary>A customer as the registry knows it.</summary>
/// <param name="Model">The customer.</param>
/// <param name="Origin">Who says which tables it has.</param>
/// <param name="At">When the API last changed it; null for a file's.</param>
/// <param name="Tables">Its tables, by name.</param>
public sealed record CustomerView(
    CustomerModel Model, Origin Origin, DateTimeOffset? At, IReadOnlyList<CustomerTableView> Tables);

/// <summary>One table of a customer.</summary>
/// <param name="Table">The table.</param>
/// <param name="HasMapping">Whether it has an active mapping; without one its changes wait in the log.</param>
/// <param name="Mapping">The active version; null for a file's.</param>
/// <param name="HasSchema">Whether its records are checked against a schema.</param>
/// <param name="Schema">The active version; null for a file's.</param>
/// <param name="Effective">From where on records have this form; empty where they always had.</param>
public sealed record CustomerTableView(
    string Table, bool HasMapping, int? Mapping, bool HasSchema, int? Schema, IReadOnlyList<EffectivePosition> Effective);

/// <summary>A version of a mapping or a schema.</summary>
/// <param name="Version">Its number, from 1; 0 is the file's.</param>
/// <param name="Origin">Where it comes from.</param>
/// <param name="At">When it was made; null for a file's.</param>
/// <param name="By">Who made it; null for a file's.</param>
/// <param name="Active">Whether it is the one in use.</param>
/// <param name="Document">The document as it was given.</param>
/// <param name="Effective">From where on it is or was used the last time; empty where that is not known.</param>
public sealed record VersionView(
    int Version, Origin Origin, DateTimeOffset? At, string? By, bool Active, string Document,
    IReadOnlyList<EffectivePosition> Effective);

/// <summary>What putting a document did.</summary>
/// <param name="Version">The version; an existing one if the document is the same as its last.</param>
/// <param name="Active">Whether it is in use.</param>
/// <param name="Effective">From where on, if it was taken into use.</param>
/// <param name="Findings">What is worth knowing about it.</param>
public sealed record PutOutcome(
    int Version, bool Active, IReadOnlyList<EffectivePosition> Effective, IReadOnlyList<Finding> Findings);
