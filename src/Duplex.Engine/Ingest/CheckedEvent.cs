using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>An event that may be stored. Its elements belong to the posted document.</summary>
internal struct CheckedEvent
{
    public ChangeOperation Operation;
    public JsonElement KeyFields;
    public JsonElement Before;
    public JsonElement After;

    /// <summary>A text or a number; undefined if there is none.</summary>
    public JsonElement Version;

    /// <summary>The event's own id; null if it has none.</summary>
    public string? Id;

    /// <summary>The id by which the log knows a repeat; null if there is none.</summary>
    public string? Delivery;

    public long Micros;
}
