using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Engine.Mapping.Output;

/// <summary>A part of the output record.</summary>
internal abstract class OutputNode
{
    protected static JsonEncodedText Encode(string name) => JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
}

/// <summary>An object: the root, or what paths with a dot in common lead to. It is there when anything in it is.</summary>
internal sealed class OutputObject(string? name = null) : OutputNode
{
    private readonly List<(string Name, OutputNode Node)> _members = [];

    /// <summary>Its name in the object around it.</summary>
    public JsonEncodedText Name { get; } = Encode(name ?? "");

    /// <summary>Its members in the order in which they are written, with the names that rules give them.</summary>
    public IReadOnlyList<(string Name, OutputNode Node)> Members => _members;

    /// <summary>The node of a member; null if there is none.</summary>
    public OutputNode? Find(string member) => _members.FirstOrDefault(m => m.Name == member).Node;

    public void Add(string member, OutputNode node) => _members.Add((member, node));

    /// <summary>Everything in it that has values, each with the objects around it from the record inwards.</summary>
    public IEnumerable<(OutputLeaf Leaf, OutputObject[] Place)> Leaves(OutputObject[] place) => _members.SelectMany(m => m.Node switch
    {
        OutputObject inner => inner.Leaves([.. place, inner]),
        OutputLeaf leaf => [(leaf, place)],
        _ => [],
    });
}

/// <summary>A part of the output record that has values of its own.</summary>
internal abstract class OutputLeaf : OutputNode
{
    /// <summary>What it reads of the change beside the row.</summary>
    public virtual EventMembers Asks => EventMembers.None;

    /// <summary>Writes what it has to tell of the input, which may be nothing; the problem that keeps the record from being made, or
    /// null.</summary>
    public abstract string? Write(OutputInput input, ref OutputCursor cursor, OutputObject[] place);
}

/// <summary>Writes an output record, and knows in which of its objects it stands.</summary>
internal ref struct OutputCursor(Utf8JsonWriter writer)
{
    private OutputObject[] _open = [];

    public readonly Utf8JsonWriter Writer => writer;

    /// <summary>Leaves the objects that the place is not in, and enters those that it is in.</summary>
    public void GoTo(OutputObject[] place)
    {
        if (ReferenceEquals(place, _open))
        {
            return;
        }

        var shared = 0;
        while (shared < _open.Length && shared < place.Length && ReferenceEquals(_open[shared], place[shared]))
        {
            shared++;
        }

        for (var i = shared; i < _open.Length; i++)
        {
            writer.WriteEndObject();
        }

        for (var i = shared; i < place.Length; i++)
        {
            writer.WritePropertyName(place[i].Name);
            writer.WriteStartObject();
        }

        _open = place;
    }
}

/// <summary>A field with the value that a source gives; left out where it gives none.</summary>
internal sealed class OutputField(string name, OutputSource source) : OutputLeaf
{
    private readonly JsonEncodedText _name = Encode(name);

    public override EventMembers Asks => source.Asks;

    public override string? Write(OutputInput input, ref OutputCursor cursor, OutputObject[] place)
    {
        if (source.TryGet(input, out var value) is { } problem)
        {
            return problem;
        }

        if (value.State is FieldState.Present or FieldState.Null)
        {
            cursor.GoTo(place);
            cursor.Writer.WritePropertyName(_name);
            value.WriteTo(cursor.Writer);
        }

        return null;
    }
}

/// <summary>Custom fields: every field of the row whose name begins and ends as the pattern says, under the name that it gives.</summary>
/// <param name="from">The pattern's text before and after its star.</param>
/// <param name="to">The output name's text before and after its star.</param>
/// <param name="taken">Output names that rules of their own write.</param>
internal sealed class OutputPattern(
    (string Before, string After) from, (string Before, string After) to, Func<string, bool> taken) : OutputLeaf
{
    /// <summary>Whether the pattern may write a member of the name.</summary>
    public bool MayWrite(string name) => name.Length > to.Before.Length + to.After.Length
        && name.StartsWith(to.Before, StringComparison.Ordinal) && name.EndsWith(to.After, StringComparison.Ordinal);

    public override string? Write(OutputInput input, ref OutputCursor cursor, OutputObject[] place)
    {
        foreach (var member in input.Row.EnumerateObject())
        {
            var name = member.Name;
            if (!Matches(name))
            {
                continue;
            }

            // The object is there although every field in it may be another rule's.
            cursor.GoTo(place);
            var captured = name.AsSpan(from.Before.Length, name.Length - from.Before.Length - from.After.Length);
            var target = string.Concat(to.Before, captured, to.After);
            if (!taken(target))
            {
                cursor.Writer.WritePropertyName(Encode(target));
                member.Value.WriteTo(cursor.Writer);
            }
        }

        return null;
    }

    private bool Matches(string name) =>
        name.Length > from.Before.Length + from.After.Length
        && name.StartsWith(from.Before, StringComparison.Ordinal) && name.EndsWith(from.After, StringComparison.Ordinal);
}
