using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Streams;

/// <summary>The kinds of fields that Stripe's objects have, by what a sink may do with them.</summary>
internal static class FieldShapes
{
    public static readonly FieldSchema Metadata = new("metadata", FieldKind.TextMap, Nullable: false);

    public static readonly IReadOnlyList<FieldSchema> Address =
    [
        Text("line1"), Text("line2"), Text("city"), Text("state"), Text("postal_code"), Text("country"),
    ];

    /// <summary>Members that every object has and nobody sets.</summary>
    public static IReadOnlyList<FieldSchema> Identity(string type) =>
    [
        ReadOnly("id", FieldKind.Text) with { Nullable = false },
        ReadOnly("object", FieldKind.Text) with { Nullable = false, Values = [type] },
        ReadOnly("created", FieldKind.UnixSeconds) with { Nullable = false },
        ReadOnly("livemode", FieldKind.Boolean) with { Nullable = false },
    ];

    public static FieldSchema Text(string name, int? lengthMax = null) =>
        new(name, FieldKind.Text, LengthMax: lengthMax);

    public static FieldSchema ReadOnly(string name, FieldKind kind) => new(name, kind, Writable: false);

    public static FieldSchema CreateOnly(string name, FieldKind kind) => new(name, kind, CreateOnly: true);

    public static FieldSchema Choice(string name, params string[] values) =>
        new(name, FieldKind.Text, Nullable: false, Values: values);

    public static FieldSchema Flag(string name) => new(name, FieldKind.Boolean, Nullable: false);

    public static FieldSchema Nested(string name, params IReadOnlyList<FieldSchema> fields) =>
        new(name, FieldKind.Object, Fields: fields);

    public static FieldSchema Free(string name, FieldKind kind) => new(name, kind);
}
