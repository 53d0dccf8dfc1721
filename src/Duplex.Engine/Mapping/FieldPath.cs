using System.Text.Encodings.Web;
using System.Text.Json;

namespace Duplex.Engine.Mapping;

/// <summary>A path to a field: member names joined by dots, <c>metadata.plan</c>. A dot within a name is written
/// <c>\.</c>.</summary>
public sealed record FieldPath
{
    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">An empty path or an empty name in it.</exception>
    public FieldPath(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Text = text;
        Names = Split(text);
        Encoded = [.. Names.Select(static n => JsonEncodedText.Encode(n, JavaScriptEncoder.UnsafeRelaxedJsonEscaping))];
        if (Names.Any(string.IsNullOrEmpty))
        {
            throw new FormatException($"'{text}' is not a path: names joined by dots, such as metadata.plan.");
        }
    }

    /// <summary>The text form.</summary>
    public string Text { get; }

    /// <summary>The member names from the record inwards; at least one.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The names as JSON writes them.</summary>
    internal IReadOnlyList<JsonEncodedText> Encoded { get; }

    /// <summary>Finds the value in a record; false when a member on the way is absent or is not an object.</summary>
    public bool TryFind(JsonElement record, out JsonElement value)
    {
        value = record;
        foreach (var name in Names)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                value = default;
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Equals(FieldPath? other) => other is not null && other.Text == Text;

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static string[] Split(string text)
    {
        var names = new List<string>();
        var name = new System.Text.StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                name.Append(text[++i]);
            }
            else if (text[i] == '.')
            {
                names.Add(name.ToString());
                name.Clear();
            }
            else
            {
                name.Append(text[i]);
            }
        }

        names.Add(name.ToString());
        return [.. names];
    }
}
