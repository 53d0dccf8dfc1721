using Duplex.Client;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Push;
using Duplex.Engine.Registry;

namespace Duplex.Server.Api;

/// <summary>The API's documents of customers, mappings and schemas.</summary>
internal static class RegistryDocuments
{
    public static CustomerDocument Of(CustomerView view, CustomerStatus? status) => new(
        view.Model.Tenant,
        view.Model.Name,
        Word(view.Origin),
        view.At,
        [.. view.Tables.Select(Of)],
        view.Model.Feed.RetentionAge.TotalSeconds,
        view.Model.Feed.RetentionBytes,
        status is null ? null : Of(status))
    {
        Push = Of(view.Model.Push),
    };

    public static CustomerProgressDocument Of(CustomerStatus status) => new(
        status.State.ToString().ToLowerInvariant(), status.Behind, status.DeadLetters, status.Written, status.Filtered,
        status.FirstOffset, status.LastOffset, Documents.Of(status.Error))
    {
        Superseded = status.Superseded,
        Partitions = new CustomerPartitionsDocument(status.Owned, status.Partitions),
        Push = status.Push is not { } push ? null : new PushDocument(push.State.ToString().ToLowerInvariant(), push.Position,
            push.Waiting, push.Delivered, push.FailedAttempts, push.GivenUp, Documents.Of(push.Error)),
    };

    /// <summary>What may be told of a push. A query often holds a token.</summary>
    private static CustomerPushDocument? Of(PushModel? push) => push is null ? null : new CustomerPushDocument(
        push.Url?.GetLeftPart(UriPartial.Path), push.Topic?.Name, push.Topic?.Partitions, push.Secrets.Count, push.FormerSecretUntil,
        push.Parallelism, push.RatePerSecond, push.Timeout.TotalSeconds, [.. push.Retry.Select(static w => w.TotalSeconds)],
        push.DisableAfter.TotalSeconds, [.. push.Allowed.Select(static a => $"{a}")]);

    public static CustomerTableDocument Of(CustomerTableView table) => new(
        table.Table, table.HasMapping ? "active" : "waiting", Active(table.HasMapping, table.Mapping),
        Active(table.HasSchema, table.Schema), Of(table.Effective));

    public static VersionDocument Of(VersionView version, bool withDocument) => new(
        version.Version, Word(version.Origin), version.At, version.By, version.Active, Of(version.Effective),
        withDocument ? version.Document : null);

    public static PutDocument Of(PutOutcome put) => new(
        put.Version, put.Active, Of(put.Effective), [.. put.Findings.Select(Documents.Of)]);

    public static TrialDocument Of(TrialOutcome outcome) => new(outcome.Output, outcome.LeftOut, Documents.Of(outcome.Error));

    public static MappingPlanDocument Of(MappingPlan plan) => new(
        plan.Changes, plan.Same, plan.Changed, plan.NowFailing, plan.NowPassing, plan.NowLeftOut, plan.NowCarried,
        [.. plan.Samples.Select(static s => new MappingDifferenceDocument(
            s.Kind, s.Key.ToString(), Of(s.At), Of(s.Active), Of(s.Candidate)))]);

    public static FeedReplayDocument Of(ReplayView replay) => new(
        replay.Id, replay.State, replay.At, replay.Changes, replay.Passed, replay.Sent, replay.Refused, replay.Error);

    public static ActiveDocument? Active(bool has, int? version) =>
        has ? new ActiveDocument(version ?? 0, version is null ? "file" : "api") : null;

    private static PlaceDocument Of(EffectivePosition place) => new(place.Topic, place.Partition, place.Offset);

    private static IReadOnlyList<PlaceDocument> Of(IReadOnlyList<EffectivePosition> places) => [.. places.Select(Of)];

    private static string Word(Origin origin) => origin == Origin.File ? "file" : "api";
}
