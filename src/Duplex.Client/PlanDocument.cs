namespace Duplex.Client;

/// <summary>What a sync would do on the records as they are. Nothing is written to find out.</summary>
/// <param name="Sync">The sync, <c>tenant/name</c>.</param>
/// <param name="HasChanges">Whether it would link or write anything.</param>
/// <param name="Records">Records read that take part.</param>
/// <param name="Skipped">Records that a rule leaves out.</param>
/// <param name="Linked">Pairs that are linked already.</param>
/// <param name="Link">Pairs that would be linked by the match fields.</param>
/// <param name="LinkEqual">Of those, pairs that agree already.</param>
/// <param name="Create">Records that would be created.</param>
/// <param name="Update">Writes to existing records.</param>
/// <param name="Delete">Records that would be deleted.</param>
/// <param name="Conflicts">Pairs whose differences a policy decides.</param>
/// <param name="Ambiguous">Records whose match values several records share; left alone.</param>
/// <param name="Rejected">Records that the mapping cannot turn into the other side's form.</param>
/// <param name="Samples">A few examples of each kind.</param>
/// <param name="Findings">What the checks of connections and mapping found.</param>
public sealed record PlanDocument(
    string Sync,
    bool HasChanges,
    SidesDocument Records,
    SidesDocument Skipped,
    long Linked,
    long Link,
    long LinkEqual,
    SidesDocument Create,
    SidesDocument Update,
    SidesDocument Delete,
    long Conflicts,
    long Ambiguous,
    long Rejected,
    IReadOnlyList<PlanSampleDocument> Samples,
    IReadOnlyList<FindingDocument> Findings);

/// <summary>A count on each side.</summary>
public sealed record SidesDocument(long A, long B);

/// <summary>One example of what a plan counts.</summary>
/// <param name="Kind">The count it belongs to: <c>link</c>, <c>create_a</c>, <c>update_b</c>, <c>ambiguous</c>…</param>
/// <param name="A">The A key.</param>
/// <param name="B">The B key.</param>
/// <param name="Fields">The mapping rules concerned.</param>
/// <param name="Reason">Why, where it is not plain.</param>
public sealed record PlanSampleDocument(string Kind, string? A, string? B, IReadOnlyList<string> Fields,
    string? Reason);

/// <summary>How far long work has got.</summary>
/// <param name="Done">Done so far.</param>
/// <param name="Expected">In all; 0 if unknown.</param>
/// <param name="Doing">What is being done.</param>
public sealed record ProgressDocument(long Done, long Expected, string Doing);

/// <summary>One line of a plan that is streamed as <c>application/x-ndjson</c>: progress, at last the plan or the
/// problem.</summary>
public sealed record PlanLine(ProgressDocument? Progress = null, PlanDocument? Plan = null, ProblemDocument? Problem =
    null);

/// <summary>A connector and the settings that a connection of it takes.</summary>
/// <param name="Name">What <c>connector:</c> says.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Streams">The fixed streams; empty where they are found at the connection.</param>
/// <param name="Settings">Its settings.</param>
public sealed record ConnectorDocument(
    string Name, string Summary, IReadOnlyList<string> Streams, IReadOnlyList<SettingDocument> Settings);

/// <summary>One setting of a connector.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type, or the choices.</param>
/// <param name="Required">Must be given.</param>
/// <param name="Secret">Never shown.</param>
/// <param name="Default">The default as text.</param>
/// <param name="Doc">What it means.</param>
/// <param name="Example">An example.</param>
public sealed record SettingDocument(
    string Name, string Type, bool Required, bool Secret, string? Default, string Doc, string? Example);

/// <summary>One partition of the change log.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition, from 0.</param>
/// <param name="FirstOffset">The first offset that can be read.</param>
/// <param name="NextOffset">The lowest offset that the next entry can get.</param>
/// <param name="Bytes">Bytes held.</param>
/// <param name="OldestAt">When the oldest entry was appended.</param>
public sealed record PartitionDocument(
    string Topic, int Partition, long FirstOffset, long NextOffset, long Bytes, DateTimeOffset? OldestAt);
