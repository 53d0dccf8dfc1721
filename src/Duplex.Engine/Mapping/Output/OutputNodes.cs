using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Engine.Mapping.Output;

/// <summary>A part of the output record. Writes nothing where there is nothing to tell.</summary>
internal abstract class OutputNode
{
    /// <summary>Writes the member or members; the problem that keeps the record from being made, or null.</summary>
    public abstract string? WriteMember(OutputInput input, Utf8JsonWriter writer);

    /// <summary>Whether the node has anything to tell of the input.</summary>
    public abstract bool HasAny(OutputInput input);

    protected static JsonEncodedText Encode(string name) => JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
}

/// <summary>An object: the root, or what paths with a dot in common lead to.</summary>
internal sealed class OutputObject(string? name = null) : OutputNode
{
    private readonly JsonEncodedText _name = Encode(name ?? "");
    private readonly List<(string Name, OutputNode Node)> _members = [];

    /// <summary>Its members in the order in which they are written, with the names that rules give them.</summary>
    public IReadOnlyList<(string Name, OutputNode Node)> Members => _members;

    /// <summary>The node of a member; null if there is none.</summary>
    public OutputNode? Find(string member) => _members.FirstOrDefault(m => m.Name == member).Node;

    public void Add(string member, OutputNode node) => _members.Add((member, node));

    /// <summary>Writes the object's value.</summary>
    public string? Write(OutputInput input, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var (_, node) in _members)
        {
            if (node.WriteMember(input, writer) is { } problem)
            {
                return problem;
            }
        }

        writer.WriteEndObject();
        return null;
    }

    public override bool HasAny(OutputInput input) => _members.Exists(m => m.Node.HasAny(input));

    public override string? WriteMember(OutputInput input, Utf8JsonWriter writer)
    {
        if (!HasAny(input))
        {
            return null;
        }

        writer.WritePropertyName(_name);
        return Write(input, writer);
    }
}

/// <summary>A field with the value that a source gives; left out where it gives none.</summary>
internal sealed class OutputField(string name, OutputSource source) : OutputNode
{
    private readonly JsonEncodedText _name = Encode(name);

    public override bool HasAny(OutputInput input) =>
        source.TryGet(input, out var value) is not null || value.State is FieldState.Present or FieldState.Null;

    public override string? WriteMember(OutputInput input, Utf8JsonWriter writer)
    {
        if (source.TryGet(input, out var value) is { } problem)
        {
            return problem;
        }

        if (value.State == FieldState.Null)
        {
            writer.WriteNull(_name);
        }
        else if (value.State == FieldState.Present)
        {
            writer.WritePropertyName(_name);
            value.Element.WriteTo(writer);
        }

        return null;
    }
}

/// <summary>Custom fields: every field of the row whose name begins and ends as the pattern says, under the name that it gives.</summary>
/// <param name="from">The pattern's text before and after its star.</param>
/// <param name="to">The output name's text before and after its star.</param>
/// <param name="taken">Output names that rules of their own write.</param>
internal sealed class OutputPattern(
    (string Before, string After) from, (string Before, string After) to, Func<string, bool> taken) : OutputNode
{
    /// <summary>Whether the pattern may write a member of the name.</summary>
    public bool MayWrite(string name) => name.Length > to.Before.Length + to.After.Length
        && name.StartsWith(to.Before, StringComparison.Ordinal) && name.EndsWith(to.After, StringComparison.Ordinal);

    public override bool HasAny(OutputInput input) => input.Row.EnumerateObject().Any(m => Matches(m.Name));

    public override string? WriteMember(OutputInput input, Utf8JsonWriter writer)
    {
        foreach (var member in input.Row.EnumerateObject())
        {
            var name = member.Name;
            if (!Matches(name))
            {
                continue;
            }

            var captured = name.AsSpan(from.Before.Length, name.Length - from.Before.Length - from.After.Length);
            var target = string.Concat(to.Before, captured, to.After);
            if (!taken(target))
            {
                writer.WritePropertyName(Encode(target));
                member.Value.WriteTo(writer);
            }
        }

        return null;
    }

    private bool Matches(string name) =>
        name.Length > from.Before.Length + from.After.Length
        && name.StartsWith(from.Before, StringComparison.Ordinal) && name.EndsWith(from.After, StringComparison.Ordinal);
}
