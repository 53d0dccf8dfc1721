namespace Duplex.Simulators.Stripe.Http;

/// <summary>A decoded form value: a text, a hash of names, or a list written with empty brackets.</summary>
/// <remarks>
/// <c>a[0]=x</c> decodes to a hash with the name <c>0</c>; only a parameter that is declared a list reads it as one.
/// </remarks>
internal sealed class FormNode
{
    private Dictionary<string, FormNode>? fields;
    private List<FormNode>? items;

    public string? Text { get; private set; }

    public IReadOnlyDictionary<string, FormNode>? Fields => fields;

    public IReadOnlyList<FormNode>? Items => items;

    public static FormNode Leaf(string text) => new() { Text = text };

    public static FormNode Hash() => new() { fields = new Dictionary<string, FormNode>(StringComparer.Ordinal) };

    public static FormNode List() => new() { items = [] };

    public FormNode? Field(string name) => fields is not null && fields.TryGetValue(name, out var node) ? node : null;

    public void Set(string name, FormNode node) =>
        (fields ??= new Dictionary<string, FormNode>(StringComparer.Ordinal))[name] = node;

    public void Add(FormNode node) => (items ??= []).Add(node);

    /// <summary>The hash below <paramref name="name"/>, made when absent; null when another kind is there.</summary>
    public FormNode? HashAt(string name)
    {
        if (Field(name) is { } found)
        {
            return found.fields is null ? null : found;
        }

        var made = Hash();
        Set(name, made);
        return made;
    }

    /// <summary>The list below <paramref name="name"/>, made when absent; null when another kind is there.</summary>
    public FormNode? ListAt(string name)
    {
        if (Field(name) is { } found)
        {
            return found.items is null ? null : found;
        }

        var made = List();
        Set(name, made);
        return made;
    }

    /// <summary>The elements of a list in order, whichever way it was written; null when this is no list.</summary>
    public IReadOnlyList<FormNode>? AsList()
    {
        if (items is not null)
        {
            return items;
        }

        if (fields is null)
        {
            return null;
        }

        var numbered = new List<(int Index, FormNode Node)>(fields.Count);
        foreach (var (name, node) in fields)
        {
            if (!int.TryParse(name, System.Globalization.NumberStyles.None, null, out var index))
            {
                return null;
            }

            numbered.Add((index, node));
        }

        numbered.Sort(static (left, right) => left.Index.CompareTo(right.Index));
        return numbered.ConvertAll(static entry => entry.Node);
    }
}
