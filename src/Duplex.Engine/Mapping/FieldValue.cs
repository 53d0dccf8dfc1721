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
/// <param name="State">What is known.</param>
/// <param name="Element">The value when <see cref="FieldState.Present"/>; default otherwise.</param>
public readonly record struct FieldValue(FieldState State, JsonElement Element)
{
    /// <summary>The field is not there.</summary>
    public static FieldValue Absent => new(FieldState.Absent, default);

    /// <summary>The field is there and not told.</summary>
    public static FieldValue Unchanged => new(FieldState.Unchanged, default);

    /// <summary>The field is null.</summary>
    public static FieldValue Null => new(FieldState.Null, default);

    /// <summary>From JSON: null becomes <see cref="FieldState.Null"/>, everything else is present.</summary>
    public static FieldValue Of(JsonElement element) =>
        element.ValueKind == JsonValueKind.Null ? Null : new(FieldState.Present, element);
}
