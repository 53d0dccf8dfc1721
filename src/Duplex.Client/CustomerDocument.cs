using System.Text.Json;

namespace Duplex.Client;

/// <summary>One customer of posted tables.</summary>
/// <param name="Tenant">Whose changes it gets.</param>
/// <param name="Name">Its name, and its feed's.</param>
/// <param name="Origin"><c>file</c> or <c>api</c>: who says which tables it has. What the API sets overrides the file and
/// survives restarts.</param>
/// <param name="ChangedAt">When the API last changed it; null for a file's.</param>
/// <param name="Tables">Its tables.</param>
/// <param name="RetentionSeconds">Records of its feed that are older may go.</param>
/// <param name="RetentionBytes">The size above which the oldest records of its feed go.</param>
/// <param name="Progress">How far it is; null where nothing is known yet.</param>
public sealed record CustomerDocument(
    string Tenant,
    string Name,
    string Origin,
    DateTimeOffset? ChangedAt,
    IReadOnlyList<CustomerTableDocument> Tables,
    double RetentionSeconds,
    long RetentionBytes,
    CustomerProgressDocument? Progress)
{
    /// <summary>Where its feed is pushed to; null when it is only polled.</summary>
    public CustomerPushDocument? Push { get; init; }
}

/// <summary>Where a feed is pushed to. Secrets are never told.</summary>
/// <param name="Url">The endpoint of webhooks; null for a topic.</param>
/// <param name="Topic">The topic; null for webhooks.</param>
/// <param name="Partitions">Partitions of the topic when it is made; null for webhooks.</param>
/// <param name="Secrets">How many secrets sign each webhook: two while one is replaced.</param>
/// <param name="FormerSecretUntil">Until when the replaced one signs too; null for as long as it is there.</param>
/// <param name="Parallelism">Records on their way at once.</param>
/// <param name="Rate">The most records per second; 0 for no limit.</param>
/// <param name="TimeoutSeconds">How long an answer may take.</param>
/// <param name="RetrySeconds">The waits before a record's further attempts.</param>
/// <param name="DisableAfterSeconds">How long every request may fail before it is disabled.</param>
/// <param name="Allow">Addresses that are not on the public internet and may be reached.</param>
public sealed record CustomerPushDocument(
    string? Url, string? Topic, int? Partitions, int Secrets, DateTimeOffset? FormerSecretUntil, int Parallelism, double Rate,
    double TimeoutSeconds, IReadOnlyList<double> RetrySeconds, double DisableAfterSeconds, IReadOnlyList<string> Allow);

/// <summary>A fresh secret of a customer's webhooks.</summary>
/// <param name="Secret"><c>whsec_</c> and the base64 of 24 to 64 bytes.</param>
/// <param name="KeepFormer">How long the former one signs too, such as <c>24h</c>, which is the default; <c>0s</c> for no longer.</param>
public sealed record PushSecretRequest(string? Secret, string? KeepFormer = null);

/// <summary>A record to push again.</summary>
/// <param name="Offset">Its offset in the feed.</param>
public sealed record PushResendRequest(long? Offset);

/// <summary>How far a customer is.</summary>
/// <param name="State">As of a connection.</param>
/// <param name="Behind">Changes of its tables that are not in its feed yet.</param>
/// <param name="DeadLetters">Changes that wait for a person.</param>
/// <param name="Written">Records appended to the feed since the start of the process.</param>
/// <param name="LeftOut">Changes that a rule left out since then.</param>
/// <param name="FirstOffset">The first offset of the feed that can be read.</param>
/// <param name="LastOffset">The offset of the feed's last record; 0 before the first.</param>
/// <param name="Error">Why it is retrying or blocked.</param>
public sealed record CustomerProgressDocument(
    string State, long Behind, long DeadLetters, long Written, long LeftOut, long FirstOffset, long LastOffset, ErrorDocument? Error)
{
    /// <summary>Changes that were left out since the start of the process because a change of a higher version of their record came
    /// before them.</summary>
    public long Superseded { get; init; }

    /// <summary>The partitions of its tables, and which of them this process carries.</summary>
    public CustomerPartitionsDocument? Partitions { get; init; }

    /// <summary>How its feed is pushed; null when it is only polled.</summary>
    public PushDocument? Push { get; init; }
}

/// <summary>Who carries the partitions of a customer's tables.</summary>
/// <param name="Owned">Those that this process carries: <c>users/0</c>.</param>
/// <param name="Of">How many there are.</param>
public sealed record CustomerPartitionsDocument(IReadOnlyList<string> Owned, int Of);

/// <summary>How pushing a feed goes.</summary>
/// <param name="State"><c>running</c>, <c>failing</c>, <c>held</c> (the endpoint asked to wait), <c>disabled</c> (until somebody
/// resumes the customer) or <c>stopped</c>.</param>
/// <param name="Position">Every record up to this offset is dealt with.</param>
/// <param name="Waiting">Records that wait for another attempt or their turn.</param>
/// <param name="Delivered">Records that the endpoint took since the start of the process.</param>
/// <param name="FailedAttempts">Attempts that failed since then.</param>
/// <param name="GivenUp">Records that failed for good since then.</param>
/// <param name="Error">Why it is failing or disabled.</param>
public sealed record PushDocument(
    string State, long Position, long Waiting, long Delivered, long FailedAttempts, long GivenUp, ErrorDocument? Error);

/// <summary>One table of a customer.</summary>
/// <param name="Table">The table.</param>
/// <param name="State"><c>active</c>; or <c>waiting</c>: it has no mapping yet, and its changes wait in the log.</param>
/// <param name="Mapping">The active mapping; null while it waits for one.</param>
/// <param name="Schema">The schema that its records are checked against; null for none.</param>
/// <param name="Effective">From where on records have this form; empty where they always had.</param>
public sealed record CustomerTableDocument(
    string Table, string State, ActiveDocument? Mapping, ActiveDocument? Schema, IReadOnlyList<PlaceDocument> Effective);

/// <summary>Which document is in use.</summary>
/// <param name="Version">Its number; 0 for the file's.</param>
/// <param name="Origin"><c>file</c> or <c>api</c>.</param>
public sealed record ActiveDocument(int Version, string Origin);

/// <summary>A place of the change log.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The first offset that it is about.</param>
public sealed record PlaceDocument(string Topic, int Partition, long Offset);

/// <summary>A version of a mapping or a schema.</summary>
/// <param name="Version">Its number, from 1; 0 is the file's.</param>
/// <param name="Origin"><c>file</c> or <c>api</c>.</param>
/// <param name="CreatedAt">When it was made; null for a file's.</param>
/// <param name="CreatedBy">The API key that made it; null for a file's.</param>
/// <param name="Active">Whether it is in use.</param>
/// <param name="Effective">From where on it is or was used the last time.</param>
/// <param name="Document">The document as it was given; null in lists.</param>
public sealed record VersionDocument(
    int Version, string Origin, DateTimeOffset? CreatedAt, string? CreatedBy, bool Active,
    IReadOnlyList<PlaceDocument> Effective, string? Document);

/// <summary>What putting or activating a document did.</summary>
/// <param name="Version">The version; an existing one if the document is the same as the last one's.</param>
/// <param name="Active">Whether it is in use.</param>
/// <param name="Effective">From where on: changes before it are made with what was active until then.</param>
/// <param name="Findings">What is worth knowing about it.</param>
public sealed record PutDocument(
    int Version, bool Active, IReadOnlyList<PlaceDocument> Effective, IReadOnlyList<FindingDocument> Findings);

/// <summary>Which version to take.</summary>
/// <param name="Version">Its number; 0 is the file's.</param>
public sealed record VersionRequest(int? Version);

/// <summary>Which version to plan.</summary>
/// <param name="Version">Its number; 0 is the file's.</param>
/// <param name="Changes">How many of the last changes to look at, up to 10,000.</param>
public sealed record MappingPlanRequest(int? Version, int? Changes = null);

/// <summary>What to try on which events.</summary>
/// <param name="Document">A mapping: text (YAML or JSON), or an object.</param>
/// <param name="Version">Or the number of a version. Where neither is given it is the active mapping.</param>
/// <param name="Events">Events as they are posted, up to 1,000.</param>
public sealed record PreviewRequest(JsonElement? Document, int? Version, IReadOnlyList<JsonElement>? Events);

/// <summary>What becomes of one change.</summary>
/// <param name="Output">The record that the customer would get.</param>
/// <param name="LeftOut">Whether the mapping's rules leave the change out.</param>
/// <param name="Error">Why there is no record.</param>
public sealed record TrialDocument(JsonElement? Output, bool LeftOut, ErrorDocument? Error);

/// <summary>How a version differs from the active mapping over the last changes of the log.</summary>
/// <param name="Changes">Changes that were looked at.</param>
/// <param name="Same">Both do the same.</param>
/// <param name="Changed">Both give a record, and not the same.</param>
/// <param name="NowFailing">Only the version fails.</param>
/// <param name="NowPassing">The active one fails and the version gives a record.</param>
/// <param name="NowLeftOut">The version leaves out what has been carried.</param>
/// <param name="NowCarried">The version carries what has been left out.</param>
/// <param name="Samples">Some of each kind.</param>
public sealed record MappingPlanDocument(
    int Changes, int Same, int Changed, int NowFailing, int NowPassing, int NowLeftOut, int NowCarried,
    IReadOnlyList<MappingDifferenceDocument> Samples);

/// <summary>One difference.</summary>
/// <param name="Kind"><c>changed</c>, <c>now_failing</c>, <c>now_passing</c>, <c>now_left_out</c> or <c>now_carried</c>.</param>
/// <param name="Key">The record.</param>
/// <param name="At">The change's place in the log.</param>
/// <param name="Active">What the active mapping gives.</param>
/// <param name="Candidate">What the version gives.</param>
public sealed record MappingDifferenceDocument(
    string Kind, string Key, PlaceDocument At, TrialDocument Active, TrialDocument Candidate);

/// <summary>One schema.</summary>
/// <param name="Kind"><c>internal</c>: of what is taken; <c>external</c>: of what a customer is given.</param>
/// <param name="Customer">The customer of an external schema.</param>
/// <param name="Table">The table.</param>
/// <param name="Active">The version in use.</param>
public sealed record SchemaDocument(string Kind, string? Customer, string Table, ActiveDocument Active);

/// <summary>Who a change of a schema would touch.</summary>
/// <param name="Kind"><c>internal</c> or <c>external</c>.</param>
/// <param name="Table">The table.</param>
/// <param name="Customers">The customers that get the table, with the mapping that makes their records of it.</param>
/// <param name="Schemas">The tables whose schema refers to this one; each keeps it as it was until it is put again.</param>
public sealed record WhereUsedDocument(
    string Kind, string Table, IReadOnlyList<SchemaUseDocument> Customers, IReadOnlyList<string> Schemas);

/// <summary>One customer that a schema matters to.</summary>
/// <param name="Customer">The customer.</param>
/// <param name="Mapping">Its active mapping of the table; null while it waits for one.</param>
/// <param name="Schema">The schema that its records are checked against; null for none.</param>
public sealed record SchemaUseDocument(string Customer, ActiveDocument? Mapping, ActiveDocument? Schema);

/// <summary>Which part of the log to send to a customer's feed again; what is not given narrows nothing.</summary>
/// <param name="Table">One table.</param>
/// <param name="Key">One record: a single value, or a JSON array of texts for a composite key.</param>
/// <param name="From">Changes that the log took at this time or later.</param>
/// <param name="To">Changes that the log took before this time.</param>
/// <param name="Offsets">Only these partitions, each from an offset to before another one. Needs a table.</param>
public sealed record FeedReplayRequest(
    string? Table = null, string? Key = null, DateTimeOffset? From = null, DateTimeOffset? To = null,
    IReadOnlyList<OffsetRangeDocument>? Offsets = null);

/// <summary>A range of a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="From">The first offset; null for the first that the log has.</param>
/// <param name="To">The offset to stop before; null for where the customer is.</param>
public sealed record OffsetRangeDocument(int Partition, long? From = null, long? To = null);

/// <summary>A replay.</summary>
/// <param name="Id">Its id: its records' source is <c>replay/&lt;id&gt;/&lt;topic&gt;/&lt;partition&gt;</c>.</param>
/// <param name="State"><c>running</c>, <c>cancelling</c>, <c>done</c>, <c>cancelled</c> or <c>failed</c>.</param>
/// <param name="StartedAt">When it was asked for.</param>
/// <param name="Changes">How many offsets of the log it covers.</param>
/// <param name="Passed">How many of them are dealt with.</param>
/// <param name="Sent">Records appended to the feed, newer ones of the same records included.</param>
/// <param name="Refused">Changes that the mapping or the schema refused; a record that no younger state of came through has a dead
/// letter.</param>
/// <param name="Error">The first refusal, or what ended it.</param>
public sealed record FeedReplayDocument(
    string Id, string State, DateTimeOffset StartedAt, long Changes, long Passed, long Sent, long Refused, string? Error);
