namespace Duplex.Engine.Schemas.Documents;

/// <summary>The parts of draft 2020-12 that a metaschema can leave out.</summary>
[Flags]
internal enum Vocabularies
{
    None = 0,
    Applicator = 1,
    Unevaluated = 2,
    Validation = 4,
    FormatAssertion = 8,
    All = Applicator | Unevaluated | Validation,
}

/// <summary>The generations of the language that differ in what keywords mean.</summary>
internal enum Generation
{
    Draft7,
    Draft201909,
    Draft202012,
}

/// <summary>What the keywords of a resource mean.</summary>
/// <param name="Generation">The draft.</param>
/// <param name="Vocabularies">What of it is in force.</param>
/// <param name="Metaschema">The address of its metaschema.</param>
internal sealed record Dialect(Generation Generation, Vocabularies Vocabularies, string Metaschema)
{
    private const string VocabularyBase = "https://json-schema.org/draft/2020-12/vocab/";

    public static Dialect Draft7 { get; } =
        new(Generation.Draft7, Vocabularies.All, "http://json-schema.org/draft-07/schema");

    /// <summary>Draft 2019-09, for documents that others refer to.</summary>
    public static Dialect Draft201909 { get; } =
        new(Generation.Draft201909, Vocabularies.All, "https://json-schema.org/draft/2019-09/schema");

    public static Dialect Draft202012 { get; } =
        new(Generation.Draft202012, Vocabularies.All, "https://json-schema.org/draft/2020-12/schema");

    /// <summary>Whether siblings of <c>$ref</c> are ignored.</summary>
    public bool RefStandsAlone => Generation == Generation.Draft7;

    /// <summary>The dialect that an address names of itself; null for none.</summary>
    public static Dialect? Named(string metaschema) => metaschema.TrimEnd('#') switch
    {
        "http://json-schema.org/draft-07/schema" or "https://json-schema.org/draft-07/schema" => Draft7,
        "https://json-schema.org/draft/2019-09/schema" => Draft201909,
        "https://json-schema.org/draft/2020-12/schema" => Draft202012,
        _ => null,
    };

    /// <summary>The part that a vocabulary's address names; null for an unknown one.</summary>
    public static Vocabularies? VocabularyNamed(string address) =>
        !address.StartsWith(VocabularyBase, StringComparison.Ordinal) ? null : address[VocabularyBase.Length..] switch
        {
            "applicator" => Vocabularies.Applicator,
            "unevaluated" => Vocabularies.Unevaluated,
            "validation" => Vocabularies.Validation,
            "format-assertion" => Vocabularies.FormatAssertion,
            "core" or "meta-data" or "format-annotation" or "content" => Vocabularies.None,
            _ => null,
        };
}
