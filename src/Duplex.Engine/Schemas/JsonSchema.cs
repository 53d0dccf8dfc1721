using System.Text.Json;
using Duplex.Engine.Schemas.Documents;
using Duplex.Engine.Schemas.Keywords;

namespace Duplex.Engine.Schemas;

/// <summary>
/// A compiled JSON Schema (draft 2020-12 or draft-07). Immutable: any number of threads evaluate with one. An
/// evaluation takes bounded steps, depth and time, whatever the schema and the instance; one that exceeds them counts
/// as a refusal that says so.
/// </summary>
public sealed class JsonSchema
{
    private readonly SchemaNode _root;
    private readonly bool _tracksScope;

    internal JsonSchema(SchemaNode root, bool tracksScope)
    {
        _root = root;
        _tracksScope = tracksScope;
    }

    /// <summary>Compiles a schema document. Nothing is fetched: a reference leads into the document, the set or a
    /// metaschema, or is a finding.</summary>
    public static SchemaResult Compile(
        ReadOnlyMemory<byte> utf8, SchemaSet? known = null, SchemaOptions? options = null) =>
        SchemaCompiler.Compile(utf8, known ?? SchemaSet.Empty, options ?? SchemaOptions.Default);

    /// <summary>Whether the instance satisfies the schema. Allocates nothing for most schemas.</summary>
    public bool IsValid(JsonElement instance)
    {
        var run = new Run(_tracksScope);
        return _root.IsValid(instance, ref run, null) && run.Fault is null;
    }

    /// <summary>Every breach, in the order of the schema's keywords, up to a limit; empty when valid.</summary>
    public IReadOnlyList<SchemaError> Validate(JsonElement instance, int errorsMax = 100)
    {
        var run = new Run(_tracksScope);
        var isValid = _root.IsValid(instance, ref run, null);
        if (isValid && run.Fault is null)
            return [];
        var collector = new Collector(Math.Max(1, errorsMax));
        if (run.Fault is null)
        {
            run = new Run(_tracksScope);
            _root.Collect(instance, ref run, collector);
        }

        if (run.Fault is { } fault)
            collector.AddFault(fault);
        return collector.Errors;
    }

    /// <summary>What is wrong with the instance, in the sentence that says most; null if it is valid. Allocates nothing for most valid
    /// instances.</summary>
    public string? Breach(JsonElement instance) => IsValid(instance)
        ? null
        : MostRelevant(Validate(instance))?.Message ?? "it is not valid";

    /// <summary>The error that says most about why an instance was refused; null when there is none.</summary>
    public static SchemaError? MostRelevant(IReadOnlyList<SchemaError> errors) => Relevance.Best(errors);
}
