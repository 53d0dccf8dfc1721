using System.Text.Json;
using Duplex.Engine.Schemas.Documents;
using Duplex.Sdk;

namespace Duplex.Engine.Schemas;

/// <summary>
/// The documents that references may lead to, by address. Immutable: adding gives another set. The metaschemas of both
/// drafts need not be added.
/// </summary>
public sealed class SchemaSet
{
    private readonly Dictionary<string, JsonElement> _documents;

    private SchemaSet(Dictionary<string, JsonElement> documents) => _documents = documents;

    /// <summary>The set without documents.</summary>
    public static SchemaSet Empty { get; } = new(new(StringComparer.Ordinal));

    /// <summary>The addresses of the documents.</summary>
    public IReadOnlyCollection<string> Uris => _documents.Keys;

    /// <summary>A set with one more document; a document already at the address is replaced.</summary>
    /// <param name="uri">The address, without fragment; it need not exist anywhere else.</param>
    /// <param name="utf8">The document; copied.</param>
    /// <exception cref="SyncException">The bytes are not JSON that <see cref="StrictJson"/> lets pass.</exception>
    public SchemaSet With(string uri, ReadOnlyMemory<byte> utf8) => With([new(uri, utf8)]);

    /// <summary>A set with more documents; a document already at an address is replaced.</summary>
    /// <exception cref="SyncException">The bytes are not JSON that <see cref="StrictJson"/> lets pass.</exception>
    public SchemaSet With(IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>>> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var all = new Dictionary<string, JsonElement>(_documents, StringComparer.Ordinal);
        foreach (var (uri, utf8) in documents)
        {
            if (StrictJson.Check(utf8.Span, SchemaCompiler.DepthMax) is { } error)
                throw new SyncException(error with { Message = $"The schema '{uri}' cannot be read: {error.Message}" });
            all[UriReference.Parse(uri).Document] = SchemaCompiler.Parse(utf8);
        }

        return new SchemaSet(all);
    }

    /// <summary>A set without the document at the address.</summary>
    public SchemaSet Without(string uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        var address = UriReference.Parse(uri).Document;
        return _documents.ContainsKey(address)
            ? new SchemaSet(_documents.Where(d => d.Key != address).ToDictionary(StringComparer.Ordinal)) : this;
    }

    internal bool TryGet(string uri, out JsonElement root) => _documents.TryGetValue(uri, out root);
}
