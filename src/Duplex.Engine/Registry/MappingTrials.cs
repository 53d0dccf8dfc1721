using System.Text;
using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Feeds;
using Duplex.Engine.Ingest;
using Duplex.Engine.Log;
using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>Tries mappings on posted events and on the log. Stores nothing.</summary>
public sealed class MappingTrials
{
    private const int PlanChangesMax = 10_000;
    private const int PageEntries = 512;
    private const int PageBytes = 4 << 20;

    private readonly RegistryCore _core;
    private readonly MappingRegistry _mappings;

    internal MappingTrials(RegistryCore core, MappingRegistry mappings) => (_core, _mappings) = (core, mappings);

    /// <summary>
    /// What a mapping would make of posted events: each goes through the same door and the same checks as one that is posted, and
    /// nothing of it is stored.
    /// </summary>
    /// <param name="customer">The customer.</param>
    /// <param name="table">The table.</param>
    /// <param name="source">The document, the version, or the active mapping.</param>
    /// <param name="events">Events as they are posted.</param>
    /// <param name="cancellationToken">Stops between events.</param>
    /// <exception cref="RegistryException">The document is wrong, or there is no such version.</exception>
    public async Task<IReadOnlyList<TrialOutcome>> PreviewAsync(
        string customer, string table, MappingSource source, IReadOnlyList<JsonElement> events, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(events);
        var model = _core.RequireTable(customer, table);
        var form = await FormAsync(model, table, source, cancellationToken);
        var outcomes = new List<TrialOutcome>(events.Count);
        using var transform = new FeedTransform();
        foreach (var posted in events)
        {
            cancellationToken.ThrowIfCancellationRequested();
            outcomes.Add(Try(model, form, posted, transform));
        }

        return outcomes;
    }

    /// <summary>How a version differs from the active mapping over the last changes of the log. Nothing is stored.</summary>
    /// <param name="customer">The customer.</param>
    /// <param name="table">The table.</param>
    /// <param name="version">The candidate; 0 for the file's.</param>
    /// <param name="changes">How many changes to look at, spread over the table's partitions by their lengths.</param>
    /// <param name="cancellationToken">Stops between pages.</param>
    /// <exception cref="RegistryException">There is no such version.</exception>
    public async Task<MappingPlan> PlanAsync(
        string customer, string table, int version, int changes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(changes, PlanChangesMax);
        var model = _core.RequireTable(customer, table);
        var candidate = await FormAsync(model, table, new MappingSource(null, version), cancellationToken);
        var active = model.Tables.GetValueOrDefault(table);
        var topic = TableTopics.Of(model.Tenant, table);
        var partitions = (await _core.Parts.Log.DescribeAsync(cancellationToken)).Where(p => p.Topic == topic).ToList();
        var length = Math.Max(1, partitions.Sum(static p => p.NextOffset - p.FirstOffset));
        var tally = new PlanTally();
        using var transform = new FeedTransform();
        foreach (var partition in partitions)
        {
            var share = (long)Math.Ceiling((double)changes * (partition.NextOffset - partition.FirstOffset) / length);
            var offset = Math.Max(partition.FirstOffset, partition.NextOffset - share);
            while (offset < partition.NextOffset)
            {
                using var page = await _core.Parts.Log.ReadAsync(
                    topic, partition.Partition, offset, PageEntries, PageBytes, cancellationToken);
                for (var i = 0; i < page.Count; i++)
                {
                    Compare(page, i, model, partition, (active, candidate), transform, tally);
                }

                offset = page.Count == 0 ? partition.NextOffset : page.Offset(page.Count - 1) + 1;
            }
        }

        return tally.Result();
    }

    private static void Compare(LogPage page, int i, CustomerModel model, PartitionState partition,
        (TableModel? Active, TableModel Candidate) forms, FeedTransform transform, PlanTally tally)
    {
        var key = RecordKey.FromUtf8(page.Key(i).Span);
        var change = ChangeEnvelope.Parse(key, page.Value(i));
        var clock = new StillClock(DateTimeOffset.UnixEpoch.AddMicroseconds(page.AppendedMicros(i)));
        var active = forms.Active is null
            ? new TrialOutcome(null, null, true) : Try(model, forms.Active, change, page.Key(i), (transform, clock));
        tally.Add(key, new EffectivePosition(partition.Topic, partition.Partition, page.Offset(i)), active,
            Try(model, forms.Candidate, change, page.Key(i), (transform, clock)));
    }

    private TrialOutcome Try(CustomerModel model, TableModel form, JsonElement posted, FeedTransform transform)
    {
        if (_core.Door is not { } door)
        {
            throw new RegistryException(RegistryFault.Conflict, "ingest.off", "This server takes no posted events.",
                "Add ingest: to the configuration.");
        }

        using var batch = new ChangeBatch(4096);
        var note = new DeliveryNote(Tenant: model.Tenant);
        if (door.Check(Encoding.UTF8.GetBytes(posted.GetRawText()), note, batch, out _) is { } refusal)
        {
            return new TrialOutcome(null, new SyncError(ErrorCode.MappingFailed, refusal.Detail), false);
        }

        if (batch.Stream(0) != form.Table)
        {
            return new TrialOutcome(null, new SyncError(ErrorCode.MappingFailed,
                $"The event is of {batch.Stream(0)}, the mapping of {form.Table}."), false);
        }

        var key = batch.Key(0).ToArray();
        var change = ChangeEnvelope.Parse(RecordKey.FromUtf8(key), batch.Value(0).ToArray());
        return Try(model, form, change, key, (transform, _core.Parts.Clock));
    }

    private static TrialOutcome Try(CustomerModel model, TableModel form, Change change, ReadOnlyMemory<byte> key,
        (FeedTransform Transform, TimeProvider Clock) by)
    {
        by.Transform.Clear();
        var outcome = by.Transform.Run(change, key, 0, model, form, by.Clock);
        return outcome.Item is { } item
            ? new TrialOutcome(JsonElement.Parse(item.Data.Span), null, false)
            : new TrialOutcome(null, outcome.Error, outcome.Error is null);
    }

    private async Task<TableModel> FormAsync(
        CustomerModel model, string table, MappingSource source, CancellationToken cancellationToken)
    {
        var active = model.Tables.GetValueOrDefault(table);
        var mapping = source switch
        {
            { Document: { } document } => MappingRegistry.ReadMapping(document, table).Mapping,
            { Version: { } version } => await _mappings.CandidateAsync(model.Name, table, version, cancellationToken),
            _ => active?.Mapping ?? throw new RegistryException(RegistryFault.Conflict, "mapping.none",
                $"{model.Name} has no active mapping of {table}.", "Give a document or a version."),
        };
        return new TableModel(table, mapping, await _core.SchemaAsync(model.Name, table, cancellationToken));
    }
}

/// <summary>Which mapping to try: a document, a version, or where both are null the active one.</summary>
public sealed record MappingSource(string? Document, int? Version);
