using System.Text.Json;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Rows;
using Duplex.Connectors.Postgres.Values;
using Duplex.Sdk;

namespace Duplex.Connectors.Postgres.Sink;

/// <summary>One request on its way through a transaction: what it found, what it will write, how it ended.</summary>
internal sealed class WritePlan(WriteRequest request, int index)
{
    private readonly List<(ColumnSchema Column, string? Text)> _values = [];

    /// <summary>The request.</summary>
    public WriteRequest Request { get; } = request;

    /// <summary>Its place among the requests of the call.</summary>
    public int Index { get; } = index;

    /// <summary>
    /// The key under which its row is looked for: the request's, or the one an earlier attempt noted.
    /// </summary>
    public RecordKey Key { get; set; } = request.Key;

    /// <summary>Whether an earlier attempt under the same idempotency key was committed.</summary>
    public bool AlreadyDone { get; set; }

    /// <summary>The row as it is, locked; null when there is none.</summary>
    public RowImage? Row { get; set; }

    /// <summary>The record of <see cref="Row"/>.</summary>
    public Record? Current { get; set; }

    /// <summary>
    /// Fields of the current row that differ from what is wanted or expected, until the server has judged their text.
    /// </summary>
    public List<FieldDoubt> Doubts { get; } = [];

    /// <summary>The unique constraint by which another row stood in its way; null for none.</summary>
    public TableConstraint? Blocked { get; set; }

    /// <summary>How it ended; null while it is on its way.</summary>
    public WriteOutcome? Outcome { get; set; }

    /// <summary>
    /// The columns to write and the texts to write into them, in the order of the statement's parameters.
    /// </summary>
    public IReadOnlyList<(ColumnSchema Column, string? Text)> Values => _values;

    /// <summary>Ends the request with an error that names a field.</summary>
    public void Refuse(string message, string? field, string? suggestion = null) =>
        Outcome = WriteOutcome.Failure(new SyncError(ErrorCode.SinkRejected, message, field, suggestion));

    /// <summary>Takes every field for an insert, and the key's columns if the request has a key.</summary>
    public void PlanCreate(TableSchema table)
    {
        _values.Clear();
        foreach (var member in Members(Request.Fields))
        {
            if (Column(table, member.Name) is not { } column)
            {
                return;
            }

            _values.Add((column, PostgresText.FromJson(column.Type, member.Value)));
        }

        if (Request.Key.IsEmpty)
        {
            return;
        }

        var parts = Request.Key.Parts();
        for (var i = 0; i < table.Key.Count; i++)
        {
            if (_values.All(v => v.Column != table.Key[i]))
            {
                _values.Add((table.Key[i], parts[i]));
            }
        }
    }

    /// <summary>Compares the row with the request and collects the fields in doubt.</summary>
    public void Compare(TableSchema table)
    {
        Doubts.Clear();
        var update = Request.Operation == WriteOperation.Update;
        var expected = Request.Expected?.Root;
        foreach (var member in Members(update ? Request.Fields : Request.Expected))
        {
            if (Column(table, member.Name) is not { } column)
            {
                return;
            }

            var current = Current!.Root.GetProperty(column.Name);
            JsonElement? wanted = update ? member.Value : null;
            JsonElement? believed = !update ? member.Value
                : expected?.TryGetProperty(member.Name, out var e) == true ? e : null;
            if (!Same(column, current, wanted ?? believed!.Value))
            {
                Doubts.Add(new FieldDoubt(column, current, wanted, believed));
            }
        }
    }

    /// <summary>
    /// Decides after the server has judged the doubts: a conflict, nothing to write, or the columns to write.
    /// </summary>
    public void Decide(TableSchema table)
    {
        var differing = Doubts.Where(static d => !d.HasWanted).ToList();
        if (differing.Any(static d => d.Believed is not null && !d.HasBelieved))
        {
            Outcome = new WriteOutcome(WriteStatus.Conflict, Row!.ToKey(table), Current);
            return;
        }

        _values.Clear();
        if (Request.Operation == WriteOperation.Update)
        {
            foreach (var doubt in differing)
            {
                _values.Add((doubt.Column, doubt.Text));
            }
        }
    }

    /// <summary>Whether two values of a column are the same as far as that can be told without the server.</summary>
    internal static bool Same(ColumnSchema column, JsonElement current, JsonElement other)
    {
        if (column.BaseType.Oid == 1042
            && current.ValueKind == JsonValueKind.String
            && other.ValueKind == JsonValueKind.String)
        {
            // Blanks at the end of a char(n) mean nothing.
            return current.GetString()!.TrimEnd(' ') == other.GetString()!.TrimEnd(' ');
        }

        return column.BaseType.Kind == PostgresKind.Json
            ? FieldMerge.Covers(current, other)
            : JsonElement.DeepEquals(current, other);
    }

    private static IEnumerable<JsonProperty> Members(Record? record) =>
        record is null ? [] : record.Root.EnumerateObject();

    private ColumnSchema? Column(TableSchema table, string name)
    {
        var column = table.Find(name);
        if (column is null)
        {
            Refuse($"{table.Name} has no column {name}.", name,
                $"ALTER TABLE {table.Name.Sql} ADD COLUMN …, or map another field.");
        }

        return column;
    }
}

/// <summary>
/// A field whose current value differs, as JSON, from what is wanted and perhaps from what is believed.
/// </summary>
/// <param name="Column">The column.</param>
/// <param name="Current">Its value.</param>
/// <param name="Wanted">What to write; null for a delete.</param>
/// <param name="Believed">What the request expects; null when it does not compare the field.</param>
internal sealed record FieldDoubt(ColumnSchema Column, JsonElement Current, JsonElement? Wanted, JsonElement? Believed)
{
    /// <summary>Whether the column holds the wanted value already, in another spelling.</summary>
    public bool HasWanted { get; set; }

    /// <summary>Whether the column holds the believed value.</summary>
    public bool HasBelieved { get; set; } = Believed is { } value && WritePlan.Same(Column, Current, value);

    /// <summary>The text to write.</summary>
    public string? Text => PostgresText.FromJson(Column.Type, Column.BaseType.Kind == PostgresKind.Json
        ? FieldMerge.Merge(Current, Wanted!.Value)
        : Wanted!.Value);

    /// <summary>Whether the server may read a different JSON form as the same value.</summary>
    public bool NeedsServer => Current.ValueKind != JsonValueKind.Null && Column.BaseType switch
    {
        { Kind: PostgresKind.Json } or { Labels: not null } or { Oid: 25 or 1042 or 1043 } => false,
        { Kind: PostgresKind.Integer or PostgresKind.Boolean } =>
            Wanted?.ValueKind == JsonValueKind.String || Believed?.ValueKind == JsonValueKind.String,
        _ => true,
    };

    /// <summary>
    /// The type that a text is read as for the comparison: without lengths, so that nothing is cut off.
    /// </summary>
    public string ComparedAs => (Column.BaseType.Element ?? Column.BaseType).Oid is 1042 or 1043 or 1560 or 1562
        ? Column.BaseType.Name
        : Column.Native;
}
