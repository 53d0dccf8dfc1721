using System.Text;
using System.Text.Json;
using Duplex.Engine.Schemas.Documents;
using Duplex.Engine.Schemas.Keywords;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>Turns schema documents into evaluators.</summary>
internal sealed class SchemaCompiler
{
    /// <summary>How deep a schema document may be nested.</summary>
    public const int DepthMax = 250;

    private readonly SchemaOptions _options;
    private readonly SchemaIndex _index;
    private readonly List<Finding> _findings = [];
    private readonly Dictionary<(SchemaDocument, string), SchemaNode> _nodes = [];
    private readonly Queue<SchemaNode> _open = new();

    private SchemaCompiler(SchemaSet known, SchemaOptions options, Dialect usual)
    {
        _options = options;
        _index = new SchemaIndex(known, usual, _findings);
    }

    /// <summary>Whether some reference depends on the way by which it was reached.</summary>
    public bool TracksScope { get; set; }

    /// <summary>Compiles a document of which nothing is known.</summary>
    public static SchemaResult Compile(ReadOnlyMemory<byte> utf8, SchemaSet known, SchemaOptions options)
    {
        if (StrictJson.Check(utf8.Span, DepthMax) is { } error)
        {
            return new SchemaResult(null, [new(FindingSeverity.Error, "schema.unreadable", error.Path ?? "",
                error.Message, error.Suggestion ?? "Correct the document.")]);
        }

        var usual = options.Draft == SchemaDraft.Draft7 ? Dialect.Draft7 : Dialect.Draft202012;
        var content = Parse(utf8);
        var compiler = new SchemaCompiler(known, AsksForFormat(content) ? options with { AssertFormat = true } : options, usual);
        var document = new SchemaDocument("", content);
        var baseUri = UriReference.Parse(options.BaseUri).Document;
        var root = compiler.CompileAll(compiler._index.Load(document, baseUri, isTrusted: false));
        var used = compiler.Used(document);
        compiler.Review(known, used);
        var findings = compiler._findings.Where(f => !compiler.IsAboutOthers(f, used))
            .DistinctBy(static f => (f.Path, f.Message)).ToList();
        return findings.Any(static f => f.Severity == FindingSeverity.Error)
            ? new SchemaResult(null, findings)
            : new SchemaResult(new JsonSchema(root, compiler.TracksScope), findings)
            {
                Source = compiler.Source(utf8, document, known, used),
            };
    }

    /// <summary>Compiles a metaschema.</summary>
    public static JsonSchema CompileTrusted(string uri, JsonElement root, Dialect dialect)
    {
        var compiler = new SchemaCompiler(SchemaSet.Empty, SchemaOptions.Default, dialect);
        var location = compiler._index.Load(new SchemaDocument(uri, root), uri, isTrusted: true);
        var node = compiler.CompileAll(location);
        return compiler._findings.Count == 0
            ? new JsonSchema(node, compiler.TracksScope)
            : throw new InvalidOperationException(compiler._findings[0].Message);
    }

    /// <summary>Whether the owner of a document asks that <c>format</c> refuses.</summary>
    private static bool AsksForFormat(JsonElement content) => content.ValueKind == JsonValueKind.Object
        && content.TryGetProperty(SchemaOptions.FormatKeyword, out var asked) && asked.ValueKind == JsonValueKind.True;

    /// <summary>The content of a document.</summary>
    public static JsonElement Parse(ReadOnlyMemory<byte> utf8) =>
        JsonElement.Parse(utf8.Span, new JsonDocumentOptions { MaxDepth = DepthMax });

    /// <summary>The evaluator for a place, which may be filled later.</summary>
    public SchemaNode Node(SchemaLocation location)
    {
        var key = (location.Resource.Document, location.Pointer);
        if (_nodes.TryGetValue(key, out var known))
            return known;
        var node = new SchemaNode(location);
        _nodes.Add(key, node);
        _open.Enqueue(node);
        return node;
    }

    /// <summary>The evaluator for a schema below another one.</summary>
    public SchemaNode Below(SchemaLocation location, string pointer, JsonElement element)
    {
        var resource = _index.ResourceAt(location.Resource, pointer);
        return Node(new SchemaLocation(resource, pointer, element));
    }

    /// <summary>The place that a reference leads to; null, with a finding, when there is none.</summary>
    public SchemaLocation? Resolve(SchemaLocation from, string keyword, string reference)
    {
        var found = _index.Resolve(from.Resource, reference, out var problem);
        if (found is null)
        {
            Report(from, keyword, "schema.ref_unknown", $"'{reference}' leads to no schema. {problem}",
                "Correct the reference, or add the document to the set under its address.");
        }
        else if (!SubschemaPlaces.IsSchema(found.Element))
        {
            Report(from, keyword, "schema.ref_unknown", $"'{reference}' leads to something that is no schema.",
                "Let it lead to an object, true or false.");
            found = null;
        }

        return found;
    }

    /// <summary>Adds a finding about a keyword.</summary>
    public void Report(SchemaLocation location, string keyword, string code, string message, string suggestion) =>
        _findings.Add(new(FindingSeverity.Error, code,
            keyword.Length == 0 ? location.Display : $"{location.Display}/{JsonPointer.Escape(keyword)}",
            message, suggestion));

    /// <summary>Whether <c>format</c> refuses in this resource.</summary>
    public bool AssertsFormat(SchemaResource resource) =>
        _options.AssertFormat || resource.Dialect.Vocabularies.HasFlag(Vocabularies.FormatAssertion);

    private SchemaNode CompileAll(SchemaLocation location)
    {
        var root = Node(location);
        do
        {
            while (_open.TryDequeue(out var node))
                Fill(node);
            if (TracksScope)
                AddDynamicNodes();
        }
        while (_open.Count > 0);
        foreach (var looping in InPlaceLoops.Find(_nodes.Values))
        {
            Report(looping.Location, "", "schema.loop", "The schema refers to itself without going down into the "
                + "instance, so that it can never be evaluated.", "Remove the reference that leads back.");
        }

        return root;
    }

    private void Fill(SchemaNode node)
    {
        switch (node.Location.Element.ValueKind)
        {
            case JsonValueKind.True:
            case JsonValueKind.False:
                node.Fill(node.Location.Element.ValueKind == JsonValueKind.True);
                break;
            case JsonValueKind.Object:
                new KeywordBuilder(this, node).Build();
                break;
            default:
                Report(node.Location, "", "schema.invalid", "A schema is an object, true or false.",
                    "Write a schema here.");
                break;
        }
    }

    private void AddDynamicNodes()
    {
        foreach (var resource in _index.Resources.Distinct().ToList())
        {
            foreach (var (anchor, location) in resource.DynamicAnchors)
                resource.DynamicNodes.TryAdd(anchor, Node(location));
        }
    }

    /// <summary>The documents that the schema is made of, itself among them.</summary>
    private HashSet<SchemaDocument> Used(SchemaDocument document) =>
        [document, .. _nodes.Values.Select(static n => n.Location.Resource.Document)];

    /// <summary>Whether a finding is about a document that was read only to look for an address.</summary>
    private bool IsAboutOthers(Finding finding, HashSet<SchemaDocument> used) => _index.Roots.Exists(root =>
        !used.Contains(root.Resource.Document)
        && finding.Path?.StartsWith(root.Resource.Document.Prefix, StringComparison.Ordinal) == true);

    private SchemaSource Source(
        ReadOnlyMemory<byte> utf8, SchemaDocument document, SchemaSet known, HashSet<SchemaDocument> used)
    {
        List<SchemaDocument> others = [.. used.Where(d => d != document && known.TryGet(d.Uri, out _))];
        var references = others.ToDictionary(static d => d.Uri, static d => d.Root.GetRawText(), StringComparer.Ordinal);
        foreach (var metaschema in _index.Roots.Where(r => used.Contains(r.Resource.Document))
            .Select(static r => r.Resource.Dialect.Metaschema))
        {
            if (known.TryGet(metaschema, out var content))
                references.TryAdd(metaschema, content.GetRawText());
        }

        return new SchemaSource(
            Encoding.UTF8.GetString(utf8.Span), WholeSchema.Of(_index, document, others), references);
    }

    private void Review(SchemaSet known, HashSet<SchemaDocument> used)
    {
        foreach (var root in _index.Roots.Where(r => used.Contains(r.Resource.Document)))
        {
            var metaschema = Metaschemas.For(root.Resource.Dialect);
            if (known.TryGet(root.Resource.Dialect.Metaschema, out var custom)
                && root.Resource.Document.Uri != root.Resource.Dialect.Metaschema)
            {
                var own = Compile(JsonSerializer.SerializeToUtf8Bytes(custom), known,
                    new SchemaOptions { BaseUri = root.Resource.Dialect.Metaschema });
                metaschema = own.Schema;
            }

            foreach (var error in metaschema?.Validate(root.Element) ?? [])
                _findings.Add(MetaschemaFindings.From(error, root));
        }
    }
}
