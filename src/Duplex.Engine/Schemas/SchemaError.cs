namespace Duplex.Engine.Schemas;

/// <summary>One thing in which an instance breaks its schema.</summary>
/// <param name="InstancePointer">JSON pointer of the value at fault; empty for the whole instance.</param>
/// <param name="Keyword">The keyword that refused it; <c>false</c> for the schema <c>false</c>.</param>
/// <param name="SchemaPointer">JSON pointer of that keyword in the schema document; for another document of the set,
/// after its URI and <c>#</c>.</param>
/// <param name="Message">A sentence in the wording of Python's jsonschema 4.10, values as Python writes them.</param>
public sealed record SchemaError(string InstancePointer, string Keyword, string SchemaPointer, string Message)
{
    /// <summary>For <c>anyOf</c> and <c>oneOf</c>: what each branch found, in the order of the branches.</summary>
    public IReadOnlyList<SchemaError> Context { get; init; } = [];

    /// <summary>How many steps the value at fault lies below the whole instance.</summary>
    internal int Depth => InstancePointer.AsSpan().Count('/');
}
