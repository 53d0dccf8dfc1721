using System.Text;
using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>What a stream's schema says about a path.</summary>
internal sealed record PathSchema(FieldKind Kind, FieldSchema? Field, bool Nested, bool InTextMap)
{
    /// <summary>A path about which nothing is known.</summary>
    public static PathSchema Unknown(bool nested) => new(FieldKind.Any, null, nested, false);

    /// <summary>Whether a missing member and a null one mean the same.</summary>
    public bool AbsentIsNull => Nested;

    /// <summary>Whether a sink takes it.</summary>
    public bool Writable => Field?.Writable ?? true;

    /// <summary>
    /// Resolves a path; false with the names that could stand at the first wrong place.
    /// </summary>
    public static bool TryResolve(StreamSchema schema, FieldPath path, out PathSchema found,
        out IReadOnlyList<string> candidates)
    {
        candidates = [];
        found = Unknown(path.Names.Count > 1);
        var fields = schema.Fields;
        var open = schema.Open;
        var writable = true;
        for (var depth = 0; depth < path.Names.Count; depth++)
        {
            if (fields.FirstOrDefault(f => f.Name == path.Names[depth]) is not { } field)
            {
                candidates = [.. fields.Select(static f => f.Name)];
                return open;
            }

            writable &= field.Writable;
            var effective = field with { Writable = writable };
            if (depth == path.Names.Count - 1)
            {
                found = new PathSchema(field.Kind, effective, depth > 0, false);
                return true;
            }

            if (field.Kind == FieldKind.TextMap)
            {
                found = new PathSchema(FieldKind.Text, effective with { Nullable = true, Required = false }, true,
                    true);
                return depth == path.Names.Count - 2;
            }

            if (field.Fields is null)
            {
                found = new PathSchema(FieldKind.Any, effective with { Values = null, LengthMax = null }, true, false);
                return field.Kind is FieldKind.Any or FieldKind.Object;
            }

            (fields, open) = (field.Fields, false);
        }

        return true;
    }

    /// <summary>Why the field does not take a value that is present, as the end of a sentence; null when it does.</summary>
    public string? Refusal(FieldValue value) =>
        Field is null && (Kind == FieldKind.Any || (Kind == FieldKind.Text && value.Made is not null)) ? null : Refusal(value.Element);

    /// <summary>Why the field does not take a value, as the end of a sentence; null when it does.</summary>
    public string? Refusal(JsonElement value)
    {
        if (!Fits(value))
        {
            return $"holds {Conversions.Word(Kind)}, and the value is {JsonText.Describe(value)} of another form.";
        }

        if (Field is null || value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        if (Field.LengthMax is { } most && JsonText.Raw(value).Length - 2 > most
            && JsonText.TryText(value, out var text) && text.EnumerateRunes().Count() > most)
        {
            return $"takes at most {most} characters, and the value is longer.";
        }

        return Field.Values is { } values && !IsOneOf(values, value)
            ? $"takes only {string.Join(", ", values.Take(20))}." : null;
    }

    private static bool IsOneOf(IReadOnlyList<string> values, JsonElement value)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (value.ValueEquals(values[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a field of the kind can hold the value; a number may stand as its text.</summary>
    private bool Fits(JsonElement value) => Kind switch
    {
        FieldKind.Text or FieldKind.Date or FieldKind.Timestamp or FieldKind.LocalTimestamp =>
            value.ValueKind == JsonValueKind.String,
        FieldKind.Integer or FieldKind.UnixSeconds =>
            value.ValueKind is JsonValueKind.Number or JsonValueKind.String
                && ValueEquality.TryNumber(value, out var n) && n.IsWhole,
        FieldKind.Number => value.ValueKind == JsonValueKind.Number || (value.ValueKind == JsonValueKind.String
            && (ValueEquality.TryNumber(value, out _) || IsUncountable(value))),
        FieldKind.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        FieldKind.Object => value.ValueKind == JsonValueKind.Object,
        FieldKind.TextMap => value.ValueKind == JsonValueKind.Object
            && value.EnumerateObject().All(static m => m.Value.ValueKind is JsonValueKind.String or JsonValueKind.Null),
        FieldKind.List => value.ValueKind == JsonValueKind.Array,
        _ => true,
    };

    private static bool IsUncountable(JsonElement value) =>
        value.ValueEquals("NaN"u8) || value.ValueEquals("Infinity"u8) || value.ValueEquals("-Infinity"u8);
}
