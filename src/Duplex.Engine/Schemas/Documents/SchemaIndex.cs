using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas.Documents;

/// <summary>The resources and anchors of the documents that one compilation reads, found as references ask for
/// them.</summary>
internal sealed class SchemaIndex(SchemaSet known, Dialect usual, List<Finding> findings)
{
    private const int KnownMax = 20;

    private readonly Dictionary<string, SchemaResource> _resources = new(StringComparer.Ordinal);
    private readonly Dictionary<(SchemaDocument, string), SchemaResource> _places = [];
    private readonly HashSet<string> _loaded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);

    /// <summary>The resources read so far.</summary>
    public IEnumerable<SchemaResource> Resources => _resources.Values;

    /// <summary>The roots of the documents read so far that others wrote.</summary>
    public List<SchemaLocation> Roots { get; } = [];

    /// <summary>Reads a document.</summary>
    public SchemaLocation Load(SchemaDocument document, string baseUri, bool isTrusted)
    {
        var root = document.Root;
        var dialect = DialectOf(root, document.Prefix + "/$schema") ?? usual;
        var resource = new SchemaResource(baseUri, document, "", dialect);
        _resources.TryAdd(baseUri, resource);
        Scan(root, "", resource, isRoot: true);
        resource = _places.GetValueOrDefault((document, ""), resource);
        var location = new SchemaLocation(resource, "", root);
        if (!isTrusted)
            Roots.Add(location);
        return location;
    }

    /// <summary>The place that a reference leads to; null with the reason when there is none.</summary>
    public SchemaLocation? Resolve(SchemaResource from, string reference, out string problem)
    {
        var uri = from.Uri.Resolve(UriReference.Parse(reference));
        var fragment = Uri.UnescapeDataString(uri.Fragment ?? "");
        problem = "";
        if (Find(uri.Document) is not { } resource)
        {
            problem = $"There is no schema '{uri.Document}' here, and nothing is fetched. {Known()}";
            return null;
        }

        if (_shared.TryGetValue(uri.Document, out var second) && resource.Document.Uri.Length > 0)
        {
            problem = $"Two schemas have the $id '{uri.Document}': {resource.Document.Uri} and {second}.";
            return null;
        }

        if (fragment.Length > 0 && fragment[0] != '/')
        {
            if (!resource.Anchors.TryGetValue(fragment, out var anchored))
                problem = $"There is no anchor '{fragment}' in '{uri.Document}'.";
            return anchored;
        }

        var place = Walk(resource, fragment);
        if (place is null)
            problem = $"There is nothing at '{fragment}' in the schema.";
        return place;
    }

    /// <summary>The resource of a schema's place; null where no schema was read there.</summary>
    public SchemaResource? Place(SchemaDocument document, string pointer) => _places.GetValueOrDefault((document, pointer));

    /// <summary>The resource that a place below another one belongs to.</summary>
    public SchemaResource ResourceAt(SchemaResource above, string pointer)
    {
        if (_places.TryGetValue((above.Document, pointer), out var found))
            return found;
        return above;
    }

    private string Known()
    {
        var shown = _resources.Keys.Where(static k => k.Length > 0 && !Metaschemas.TryGet(k, out _))
            .Order(StringComparer.Ordinal).Take(KnownMax + 1).ToList();
        return shown.Count == 0 ? "No other schema is known."
            : $"Known are {string.Join(", ", shown.Take(KnownMax))}{(shown.Count > KnownMax ? " and others." : ".")}";
    }

    private SchemaResource? Find(string uri)
    {
        if (_resources.TryGetValue(uri, out var found))
            return found;
        if (Load(uri))
            return _resources[uri];
        foreach (var other in known.Uris)
            Load(other);
        return _resources.GetValueOrDefault(uri);
    }

    private bool Load(string uri)
    {
        if (!_loaded.Add(uri))
            return false;
        var isKnown = known.TryGet(uri, out var root);
        if (!isKnown && !Metaschemas.TryGet(uri, out root))
            return false;
        var prefix = uri + "#";
        Load(new SchemaDocument(uri, root) { Prefix = prefix }, uri, isTrusted: !isKnown);
        return true;
    }

    private SchemaLocation? Walk(SchemaResource resource, string fragment)
    {
        var document = resource.Document;
        var pointer = resource.Pointer;
        var element = document.Root;
        foreach (var step in Steps(pointer))
        {
            if (!JsonPointer.TryStep(element, step, out element))
                return null;
        }

        foreach (var step in Steps(fragment))
        {
            if (!JsonPointer.TryStep(element, step, out element))
                return null;
            pointer += "/" + step;
            resource = _places.GetValueOrDefault((document, pointer), resource);
        }

        if (!_places.ContainsKey((document, pointer)))
        {
            Scan(element, pointer, resource, isRoot: false);
            resource = _places.GetValueOrDefault((document, pointer), resource);
        }

        return new SchemaLocation(resource, pointer, element);
    }

    private static IEnumerable<string> Steps(string pointer) => pointer.Split('/').Skip(1);

    private void Scan(JsonElement schema, string pointer, SchemaResource resource, bool isRoot)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            _places[(resource.Document, pointer)] = resource;
            return;
        }

        var standsAlone = resource.Dialect.RefStandsAlone && schema.TryGetProperty("$ref", out _);
        if (!standsAlone && Text(schema, "$id") is { } id)
            resource = Identify(schema, pointer, resource, id, isRoot);
        _places[(resource.Document, pointer)] = resource;
        var here = new SchemaLocation(resource, pointer, schema);
        if (resource.Dialect.Generation != Generation.Draft7)
        {
            if (Text(schema, "$anchor") is { } anchor)
                Name(resource, anchor, here);
            if (Text(schema, "$dynamicAnchor") is { } dynamic)
            {
                Name(resource, dynamic, here);
                resource.DynamicAnchors.TryAdd(dynamic, here);
            }
        }

        foreach (var (below, element) in SubschemaPlaces.In(schema, resource.Dialect))
            Scan(element, pointer + below, resource, isRoot: false);
    }

    private SchemaResource Identify(
        JsonElement schema, string pointer, SchemaResource outer, string id, bool isRoot)
    {
        var uri = outer.Uri.Resolve(UriReference.Parse(id));
        var resource = outer;
        if (uri.Document != outer.Uri.Document || (isRoot && uri.Fragment is null or ""))
        {
            var dialect = isRoot
                ? outer.Dialect
                : DialectOf(schema, $"{outer.Document.Prefix}{pointer}/$schema") ?? outer.Dialect;
            resource = new SchemaResource(uri.Document, outer.Document, pointer, dialect);
            if (isRoot)
                _resources[outer.Uri.Document] = resource;
            if (!_resources.TryAdd(uri.Document, resource) && _resources[uri.Document] is var first && first != resource)
            {
                if (first.Document != outer.Document)
                {
                    _shared[uri.Document] = outer.Document.Uri;
                    return resource;
                }

                findings.Add(new(FindingSeverity.Error, "schema.id_repeated", $"{outer.Document.Prefix}{pointer}/$id",
                    $"Two schemas have the $id '{uri.Document}'.", "Give each its own."));
            }
        }

        if (uri.Fragment is { Length: > 0 } anchor && anchor[0] != '/')
            Name(resource, anchor, new SchemaLocation(resource, pointer, schema));
        return resource;
    }

    private void Name(SchemaResource resource, string anchor, SchemaLocation place)
    {
        if (resource.Anchors.TryAdd(anchor, place) || resource.Anchors[anchor].Pointer == place.Pointer)
            return;
        findings.Add(new(FindingSeverity.Error, "schema.anchor_repeated", place.Display,
            $"Two schemas have the anchor '{anchor}'.", "Give each its own."));
    }

    private Dialect? DialectOf(JsonElement schema, string pointer)
    {
        if (schema.ValueKind != JsonValueKind.Object || Text(schema, "$schema") is not { } named)
            return null;
        if (Dialect.Named(named) is { } dialect)
            return dialect;
        var uri = UriReference.Parse(named).Document;
        if (known.TryGet(uri, out var metaschema))
            return Described(metaschema, uri, pointer);
        findings.Add(new(FindingSeverity.Error, "schema.draft_unknown", pointer, $"The draft '{named}' is not known.",
            $"Use '{Dialect.Draft202012.Metaschema}' or '{Dialect.Draft7.Metaschema}#', or add the metaschema to the set."));
        return null;
    }

    private Dialect Described(JsonElement metaschema, string uri, string pointer)
    {
        var own = metaschema.ValueKind == JsonValueKind.Object && Text(metaschema, "$schema") is { } named
            ? Dialect.Named(named) ?? usual : usual;
        if (own.Generation == Generation.Draft7 || metaschema.ValueKind != JsonValueKind.Object
            || !metaschema.TryGetProperty("$vocabulary", out var listed)
            || listed.ValueKind != JsonValueKind.Object)
        {
            return own with { Metaschema = uri };
        }

        var all = Vocabularies.None;
        foreach (var vocabulary in listed.EnumerateObject())
        {
            if (Dialect.VocabularyNamed(vocabulary.Name) is { } part)
                all |= part;
            else if (vocabulary.Value.ValueKind == JsonValueKind.True)
                findings.Add(new(FindingSeverity.Error, "schema.vocabulary_unknown", pointer,
                    $"The vocabulary '{vocabulary.Name}', which the metaschema requires, is not known.",
                    "Use a metaschema without it, or one that sets it to false."));
        }

        return own with { Vocabularies = all, Metaschema = uri };
    }

    private static string? Text(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
