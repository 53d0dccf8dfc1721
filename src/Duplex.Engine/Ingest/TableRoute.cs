using System.Text;
using System.Text.Json;
using Duplex.Engine.Log;

namespace Duplex.Engine.Ingest;

/// <summary>Where a tenant's events of one table go.</summary>
public sealed class TableRoute
{
    private readonly byte[] _sourceHead;
    private bool _isOpen;

    internal TableRoute(string tenant, string table)
    {
        Tenant = tenant;
        Table = table;
        Topic = TableTopics.Of(tenant, table);
        // Neither name needs escaping: both are of letters, digits, _ and -.
        _sourceHead = Encoding.UTF8.GetBytes(
            $$""","source":{"connector":"ingest","name":"{{tenant}}","stream":"{{table}}","pos":"","ts_us":""");
        Published = Encoding.UTF8.GetBytes(
            $$"""{"status":"published","topic":"{{table}}","message":"Data sent to Kafka successfully"}""");
    }

    /// <summary>Who owns it.</summary>
    public string Tenant { get; }

    /// <summary>The table, as events name it.</summary>
    public string Table { get; }

    /// <summary>The topic of the change log.</summary>
    public string Topic { get; }

    /// <summary>The JSON that tells a poster that its event is on disk.</summary>
    public ReadOnlyMemory<byte> Published { get; }

    internal ReadOnlySpan<byte> SourceHead => _sourceHead;

    /// <summary>Whether the topic exists.</summary>
    public bool IsOpen
    {
        get => Volatile.Read(ref _isOpen);
        internal set => Volatile.Write(ref _isOpen, value);
    }
}
