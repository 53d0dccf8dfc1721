using System.Text.Json;

namespace Duplex.Engine.Mapping;

/// <summary>What a record says about a field. The four stay apart to the end.</summary>
public enum FieldState : byte
{
    /// <summary>The record does not have the field.</summary>
    Absent,
    /// <summary>The record has it, unchanged, and this change does not tell its value.</summary>
    Unchanged,
    /// <summary>It is null.</summary>
    Null,
    /// <summary>It has a value (the empty string is one).</summary>
    Present,
}

/// <summary>A field's value on one side of a rule. For a rule with several paths on the side, a JSON array with one
/// element per path.</summary>
public readonly record struct FieldValue
{
    private readonly JsonElement _element;

    private FieldValue(FieldState state, JsonElement element, string? made = null) => (State, _element, Made) = (state, element, made);

    /// <summary>What is known.</summary>
    public FieldState State { get; }

    /// <summary>The value when <see cref="FieldState.Present"/>; default otherwise.</summary>
    public JsonElement Element => Made is null ? _element : JsonText.String(Made);

    /// <summary>A text that a lens made and that is not JSON yet; null for every other value.</summary>
    internal string? Made { get; }

    /// <summary>The field is not there.</summary>
    public static FieldValue Absent => new(FieldState.Absent, default);

    /// <summary>The field is there and not told.</summary>
    public static FieldValue Unchanged => new(FieldState.Unchanged, default);

    /// <summary>The field is null.</summary>
    public static FieldValue Null => new(FieldState.Null, default);

    /// <summary>From JSON: null becomes <see cref="FieldState.Null"/>, everything else is present.</summary>
    public static FieldValue Of(JsonElement element) =>
        element.ValueKind == JsonValueKind.Null ? Null : new(FieldState.Present, element);

    /// <summary>A text that a lens made, of whole characters.</summary>
    internal static FieldValue OfMade(string text) => new(FieldState.Present, default, text);

    /// <summary>Writes the value, or null.</summary>
    internal void WriteTo(Utf8JsonWriter writer)
    {
        if (State != FieldState.Present)
        {
            writer.WriteNullValue();
        }
        else if (Made is not null)
        {
            writer.WriteStringValue(Made);
        }
        else if (_element.ValueKind is JsonValueKind.Object or JsonValueKind.Array || JsonText.Raw(_element).Contains((byte)'\\'))
        {
            _element.WriteTo(writer);
        }
        else
        {
            writer.WriteRawValue(JsonText.Raw(_element), skipInputValidation: true);
        }
    }
}
