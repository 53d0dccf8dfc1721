using System.Text.Json;
using Duplex.Engine.Mapping;
using Duplex.Engine.State;

namespace Duplex.Engine.Merge;

/// <summary>
/// What a link remembers beside its shadow: our last writes to a side that cannot compare before it writes (what we
/// believed was there, so that the echo can tell whether the write fell on somebody's edit), the rules that wait for a
/// person, and what the person decided.
/// </summary>
internal sealed class LinkMarks
{
    private const int WritesMax = 4;

    /// <summary>The writes, newest last.</summary>
    public List<RememberedWrite> Writes { get; } = [];

    /// <summary>Names of rules in a conflict that waits for a person.</summary>
    public SortedSet<string> Held { get; } = new(StringComparer.Ordinal);

    /// <summary>By rule name: decisions that are not carried out yet. Each of their rules is held, too.</summary>
    public SortedDictionary<string, Settlement> Settled { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads the stored form; empty for no bytes.</summary>
    public static LinkMarks Parse(ReadOnlyMemory<byte> utf8)
    {
        var marks = new LinkMarks();
        if (utf8.IsEmpty)
        {
            return marks;
        }

        var root = JsonElement.Parse(utf8.Span);
        foreach (var write in root.GetProperty("w").EnumerateArray())
        {
            var fields = write.GetProperty("f").EnumerateObject()
                .ToDictionary(static p => p.Name, static p => Values.Stored(p.Value));
            marks.Writes.Add(new RememberedWrite(
                write.GetProperty("s").GetString() == "a" ? Side.A : Side.B, write.GetProperty("m").GetString()!,
                write.GetProperty("t").GetInt64(), fields));
        }

        foreach (var rule in root.GetProperty("h").EnumerateArray())
        {
            marks.Held.Add(rule.GetString()!);
        }

        foreach (var settled in root.TryGetProperty("d"u8, out var all) ? all.EnumerateObject() : default)
        {
            marks.Settled[settled.Name] = new Settlement(
                settled.Value.GetProperty("s").GetString() == "a" ? Side.A : Side.B,
                settled.Value.TryGetProperty("v"u8, out var given) ? Values.Stored(given) : null);
        }

        return marks;
    }

    /// <summary>The rule waits no longer.</summary>
    public void Release(string rule)
    {
        Held.Remove(rule);
        Settled.Remove(rule);
    }

    /// <summary>Remembers a write and forgets the oldest beyond four.</summary>
    public void Remember(RememberedWrite write)
    {
        Writes.Add(write);
        if (Writes.Count > WritesMax)
        {
            Writes.RemoveAt(0);
        }
    }

    /// <summary>The stored form; no bytes when there is nothing to remember.</summary>
    public byte[] ToUtf8()
    {
        if (Writes.Count == 0 && Held.Count == 0)
        {
            return [];
        }

        return JsonScratch.Write(this, static (writer, marks) => marks.Write(writer));
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("w"u8);
        foreach (var write in Writes)
        {
            writer.WriteStartObject();
            writer.WriteString("s"u8, write.Target.Letter());
            writer.WriteString("m"u8, write.Mark);
            writer.WriteNumber("t"u8, write.SourceMicros);
            writer.WriteStartObject("f"u8);
            foreach (var (name, value) in write.Believed)
            {
                writer.WritePropertyName(name);
                Values.WriteStored(writer, value);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("h"u8);
        foreach (var rule in Held)
        {
            writer.WriteStringValue(rule);
        }

        writer.WriteEndArray();
        WriteSettled(writer);
        writer.WriteEndObject();
    }

    private void WriteSettled(Utf8JsonWriter writer)
    {
        if (Settled.Count == 0)
        {
            return;
        }

        writer.WriteStartObject("d"u8);
        foreach (var (rule, settlement) in Settled)
        {
            writer.WriteStartObject(rule);
            writer.WriteString("s"u8, settlement.Winner.Letter());
            if (settlement.Given is { } given)
            {
                writer.WritePropertyName("v"u8);
                Values.WriteStored(writer, given);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}

/// <summary>One of our writes.</summary>
/// <param name="Target">The side that was written.</param>
/// <param name="Mark">Its idempotency key.</param>
/// <param name="SourceMicros">When the change that it carried happened at its source.</param>
/// <param name="Believed">By rule name: the target's values that the write replaced, as far as we knew.</param>
internal sealed record RememberedWrite(
    Side Target, string Mark, long SourceMicros, IReadOnlyDictionary<string, FieldValue> Believed);
