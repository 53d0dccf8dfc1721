using System.Text.Json;
using Duplex.Client;
using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Log;
using Duplex.Engine.Reconcile;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Server.Api;

/// <summary>The API's documents of what the engine tells.</summary>
public static class Documents
{
    /// <summary>A check's finding.</summary>
    public static FindingDocument Of(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return new FindingDocument(
            Word(finding.Severity), finding.Code, finding.Path, finding.Message, finding.Suggestion);
    }

    /// <summary>A failure.</summary>
    public static ErrorDocument? Of(SyncError? error) => error is null
        ? null
        : new ErrorDocument(ErrorCodes.Dotted(error.Code), error.Message, error.Path, error.Suggestion, error.Detail,
            error.RetryAfter?.TotalSeconds);

    /// <summary>A plan.</summary>
    public static PlanDocument Of(PlanReport plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new PlanDocument(
            plan.Sync,
            plan.HasChanges,
            new SidesDocument(plan.RecordsA, plan.RecordsB),
            new SidesDocument(plan.SkippedA, plan.SkippedB),
            plan.Linked,
            plan.Link,
            plan.LinkEqual,
            new SidesDocument(plan.CreateA, plan.CreateB),
            new SidesDocument(plan.UpdateA, plan.UpdateB),
            new SidesDocument(plan.DeleteA, plan.DeleteB),
            plan.Conflicts,
            plan.Ambiguous,
            plan.Rejected,
            [.. plan.Samples.Select(static s => new PlanSampleDocument(s.Kind, s.KeyA, s.KeyB, s.Fields, s.Reason))],
            [.. plan.Findings.Select(Of)]);
    }

    /// <summary>A connector's declaration.</summary>
    public static ConnectorDocument Of(ConnectorSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return new ConnectorDocument(spec.Name, spec.Summary, spec.Streams,
            [.. spec.Settings.Select(static s =>
                new SettingDocument(s.Name, s.TypeName, s.Required, s.Secret, s.DefaultText, s.Doc, s.Example))]);
    }

    internal static ConnectionDocument Of(ConnectionStatus c) => new(
        c.Tenant, c.Name, c.Connector, Word(c.State), c.Position, Of(c.Source), c.LastAppendAt, c.AppendedTotal,
        Of(c.Error), c.NextAttemptAt);

    internal static SyncDocument Of(SyncStatus status, SyncModel model) => new(
        status.Tenant,
        status.Name,
        $"{model.A.Connection.Name}:{model.A.Stream}",
        $"{model.B.Connection.Name}:{model.B.Stream}",
        model.Direction switch
        {
            SyncDirection.AToB => "a_to_b",
            SyncDirection.BToA => "b_to_a",
            _ => "two_way",
        },
        Word(status.State),
        status.Links,
        status.ConflictsWaiting,
        [.. status.Legs.Select(Of)]);

    internal static RecordDocument Of(RecordView view) => new(
        view.Sync,
        view.Link is { } link
            ? new LinkDocument(link.Id, KeyText(link.A), KeyText(link.B), Word(link.State))
            : null,
        Of(view.A),
        Of(view.B),
        Of(view.ErrorA),
        Of(view.ErrorB),
        view.ErrorA is not null || view.ErrorB is not null
            ? null
            : view.A is not null && view.B is not null && view.Fields.All(static f => f.Equal),
        [.. view.Fields.Select(static f => new FieldDocument(f.Rule, Json(f.A), Json(f.B), f.Equal))],
        Of(view.Pending),
        view.DeadLetter is null ? null : Of(view.DeadLetter, withChange: false),
        [.. view.Timeline.Select(Of)]);

    internal static DeadLetterDocument Of(DeadLetter letter, bool withChange) => new(
        letter.Id,
        letter.Leg.Sync,
        letter.Leg.From.Letter(),
        letter.Key.ToString(),
        letter.Attempts,
        Time(letter.AtMicros),
        Of(letter.Error)!,
        withChange ? Json(letter.Envelope) : null);

    internal static ConflictDocument Of(Conflict c) => new(
        c.Id, c.Sync, KeyText(c.A), KeyText(c.B), c.Rule, Json(c.ValueA), Json(c.ValueB), Json(c.Base),
        c.Winner?.Letter(), c.Policy,
        Time(c.AtMicros));

    internal static TimelineDocument Of(TimelineEvent e) => new(
        Time(e.AtMicros), Word(e.Kind), e.Side.Letter(), KeyText(e.A), KeyText(e.B), Json(e.Detail));

    internal static PartitionDocument Of(PartitionState p) =>
        new(p.Topic, p.Partition, p.FirstOffset, p.NextOffset, p.Bytes, p.OldestAt);

    private static LegDocument Of(LegStatus leg) => new(
        leg.From, Word(leg.State), leg.Behind, leg.OldestUnpassedSeconds, leg.Pending, leg.OldestPendingSeconds,
        leg.DeadLetters, leg.Seen, leg.Written, leg.Agreed, leg.Echoes, leg.Failed, Of(leg.Error));

    private static SourceDocument? Of(SourceState? s) => s is null
        ? null
        : new SourceDocument(
            Word(s.Phase), s.SnapshotRows, s.SnapshotRowsExpected, s.SourceLagBytes, s.LastHeardAt, s.Warning);

    private static PendingDocument? Of(Pending? p) => p is null
        ? null
        : new PendingDocument(
            p.Leg.From.Letter(), p.Key.ToString(), p.Attempts, Time(p.SinceMicros), Time(p.DueMicros), Of(p.Error));

    private static RecordStateDocument? Of(FetchedRecord? record) =>
        record is null ? null : new RecordStateDocument(record.Key.ToString(), record.Record.Root);

    private static DateTimeOffset Time(long micros) =>
        DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);

    private static string? KeyText(RecordKey key) => key.IsEmpty ? null : key.ToString();

    private static JsonElement? Json(string? text) => string.IsNullOrEmpty(text) ? null : JsonElement.Parse(text);

    private static JsonElement? Json(ReadOnlyMemory<byte> utf8) => utf8.IsEmpty ? null : JsonElement.Parse(utf8.Span);

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
