using System.Text;
using Duplex.Engine.Config;
using Duplex.Engine.Diagnostics;
using Duplex.Engine.Feeds;
using Duplex.Engine.Log;
using Duplex.Engine.Schemas;
using Duplex.Engine.State;
using Duplex.Sdk;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Registry;

/// <summary>Makes customers' models of what the configuration file says and what the state store holds over it.</summary>
internal sealed partial class FormSource(EngineParts parts)
{
    private readonly ILogger _logger = parts.Loggers.CreateLogger("Duplex.Registry");

    /// <summary>What the file says of a table of a customer: its own mapping, or the one for all customers; null if neither.</summary>
    public TableModel? Base(string customer, string table) =>
        parts.Model.Customers.GetValueOrDefault(customer)?.Tables.GetValueOrDefault(table)
        ?? (parts.Model.GlobalMappings.TryGetValue(table, out var mapping) ? new TableModel(table, mapping, null) : null);

    public async Task<StoredForms> FormsAsync(string customer, string table, CancellationToken cancellationToken) =>
        await parts.Store.ReadValueAsync(StoredNames.Form(customer, table), cancellationToken) is { } text
            ? StoredNames.Read<StoredForms>(text) : StoredForms.Empty;

    /// <summary>A stored version; null if there is none of the number.</summary>
    public async Task<StoredVersion?> VersionAsync(string prefix, int version, CancellationToken cancellationToken) =>
        await parts.Store.ReadValueAsync(StoredNames.Version(prefix, version), cancellationToken) is { } text
            ? StoredNames.Read<StoredVersion>(text) : null;

    /// <summary>Every stored version by number.</summary>
    public async Task<IReadOnlyList<(int Version, StoredVersion Stored)>> VersionsAsync(
        string prefix, CancellationToken cancellationToken) =>
        [.. (await parts.Store.ListValuesAsync(prefix, cancellationToken)).Select(v => (
            int.Parse(v.Key.AsSpan(prefix.Length), System.Globalization.CultureInfo.InvariantCulture),
            StoredNames.Read<StoredVersion>(v.Value)))];

    /// <summary>A customer's model, with the earlier forms that changes before its positions still need.</summary>
    public async Task<CustomerModel> ComposeAsync(
        string name, StoredCustomer? stored, CustomerModel? file, CancellationToken cancellationToken)
    {
        var model = stored is null ? file!
            : new PushSecrets(parts).Apply(ModelOf(name, stored, FeedStart.Latest), stored.Push);
        var (tables, waiting) = (new Dictionary<string, TableModel>(StringComparer.Ordinal), new List<string>());
        var positions = await parts.Store.ReadPositionsAsync(FeedLeg.IdOf(model), cancellationToken);
        foreach (var table in stored?.Tables ?? [.. file!.Tables.Keys])
        {
            var topic = TableTopics.Of(model.Tenant, table);
            if (await ReadAsync(name, table, [.. positions.Where(p => p.Topic == topic)], cancellationToken) is { } form)
            {
                tables.Add(table, form);
            }
            else
            {
                waiting.Add(table);
            }
        }

        return model with { Tables = tables, Waiting = waiting };
    }

    /// <summary>The model of a stored customer, without tables.</summary>
    public static CustomerModel ModelOf(string name, StoredCustomer stored, FeedStart start) => new()
    {
        Name = name,
        Tenant = stored.Tenant,
        Generation = stored.Generation,
        Start = start,
        Feed = new FeedSpec(name, TimeSpan.FromSeconds(stored.RetentionSeconds), stored.RetentionBytes),
        Tables = new Dictionary<string, TableModel>(),
        Path = $"/customers/{name}",
    };

    /// <summary>A table as its last form makes it; null while it has no mapping.</summary>
    public async Task<TableModel?> ReadAsync(
        string customer, string table, IReadOnlyList<LegPosition> positions, CancellationToken cancellationToken)
    {
        var (forms, given) = ((await FormsAsync(customer, table, cancellationToken)).Forms, Base(customer, table));
        if (forms.Count == 0)
        {
            return given;
        }

        var earlier = new List<EarlierForm>();
        for (var i = 0; i < forms.Count; i++)
        {
            var before = Before(forms[i].Effective);
            if (positions.Any(p => p.Offset < before.GetValueOrDefault(p.Partition)))
            {
                var form = i == 0 ? given : await CompileAsync(customer, table, forms[i - 1], cancellationToken);
                if (form is not null)
                {
                    earlier.Add(new EarlierForm(form, before));
                }
            }
        }

        return await CompileAsync(customer, table, forms[^1], cancellationToken) is { } last
            ? last with { Earlier = earlier } : null;
    }

    /// <summary>What a form makes records with; null while it has no mapping, or one that this version of the program does not
    /// read.</summary>
    public async Task<TableModel?> CompileAsync(
        string customer, string table, StoredForm form, CancellationToken cancellationToken)
    {
        var given = Base(customer, table);
        var mapping = given?.Mapping;
        if (form.Mapping is { } version)
        {
            var stored = await VersionAsync(StoredNames.Mappings(customer, table), version, cancellationToken);
            mapping = stored is null ? null : MappingDocument.Read(stored.Document, $"{table}@{version}", table).Document;
            if (mapping is null)
            {
                LogUnreadable(_logger, "mapping", version, customer, table);
            }
        }

        var schema = await SchemaAsync(customer, table, form.Schema, cancellationToken);
        if (schema is null && form.Schema is { } unread)
        {
            LogUnreadable(_logger, "schema", unread, customer, table);
            return null;
        }

        return mapping is null ? null : new TableModel(table, mapping, schema);
    }

    /// <summary>A version of the schema of what a customer is given, null for the file's; null if there is none, or none that this
    /// version of the program reads.</summary>
    public async Task<OutputSchema?> SchemaAsync(string customer, string table, int? version, CancellationToken cancellationToken) =>
        version is not { } number ? Base(customer, table)?.Schema
        : await VersionAsync(StoredNames.Schemas(customer, table), number, cancellationToken) is { } stored
            ? OutputSchema.Compile(
                stored.Document, SchemaSource.SetOf(stored.References), SchemaAddress.External(customer, table)).Schema : null;

    public static IReadOnlyDictionary<int, long> Before(IReadOnlyList<EffectivePosition> effective) =>
        effective.ToDictionary(static e => e.Partition, static e => e.Offset);

    [LoggerMessage(LogLevel.Error,
        "Version {Version} of the {What} of {Customer}'s {Table} cannot be read; its changes wait in the log.")]
    private static partial void LogUnreadable(ILogger logger, string what, int version, string customer, string table);
}
