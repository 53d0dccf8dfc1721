using System.Text.Json;
using System.Text.Json.Serialization;
using Duplex.Engine.Config;

namespace Duplex.Engine.Registry;

/// <summary>A customer as the API made it. One that was removed stays as a mark over the configuration file's.</summary>
internal sealed record StoredCustomer(
    string Tenant, IReadOnlyList<string> Tables, int Generation, long AtMicros, long RetentionSeconds, long RetentionBytes)
{
    public bool Removed { get; init; }

    public StoredPush? Push { get; init; }
}

/// <summary>Where the API set that a feed is pushed to.</summary>
/// <param name="Document">What was given, JSON, without the secret.</param>
/// <param name="SecretVersion">Which version of the secret counts; 0 for a push that has none.</param>
internal sealed record StoredPush(string Document, int SecretVersion)
{
    /// <summary>Until when the replaced secret signs too; 0 for as long as it is there.</summary>
    public long FormerUntilMicros { get; init; }
}

/// <summary>A version of a mapping or a schema.</summary>
internal sealed record StoredVersion(string Document, long AtMicros, string By)
{
    /// <summary>The documents that a schema refers to, by address, as they were when it was put; null where it stands alone.</summary>
    public IReadOnlyDictionary<string, string>? References { get; init; }
}

/// <summary>The form of a table's records for a customer from a position on. A version of null is the file's.</summary>
internal sealed record StoredForm(int? Mapping, int? Schema, long AtMicros, IReadOnlyList<EffectivePosition> Effective);

/// <summary>The forms of a table's records for a customer, oldest first.</summary>
internal sealed record StoredForms(IReadOnlyList<StoredForm> Forms)
{
    private const int FormsMax = 100;

    public static StoredForms Empty { get; } = new([]);

    public StoredForm? Last => Forms.Count == 0 ? null : Forms[^1];

    public StoredForms With(StoredForm form) => new([.. Forms.TakeLast(FormsMax - 1), form]);
}

/// <summary>The active version of an internal schema; null is the file's.</summary>
internal sealed record StoredActive(int? Version, long AtMicros);

/// <summary>The names under which the registry's documents are kept in the state store.</summary>
internal static class StoredNames
{
    public const string Customers = "customer/";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static string Customer(string customer) => Customers + customer;

    public static string Mappings(string customer) => $"mapping/{customer}/";

    public static string Mappings(string customer, string table) => $"mapping/{customer}/{table}/";

    public static string Schemas(string customer) => $"schema/external/{customer}/";

    public static string Schemas(string customer, string table) => $"schema/external/{customer}/{table}/";

    public static string InternalSchemas(string table) => $"schema/internal/{table}/";

    public static string Forms(string customer) => $"form/{customer}/";

    public static string Form(string customer, string table) => $"form/{customer}/{table}";

    public const string ActiveSchemas = "schema-active/";

    public static string ActiveSchema(string table) => ActiveSchemas + table;

    public static string Replay(string customer) => $"replay/{customer}";

    /// <summary>A version's name, which sorts as its number does.</summary>
    public static string Version(string prefix, int version) => $"{prefix}{version:D8}";

    public static string Write<T>(T document) => JsonSerializer.Serialize(document, Options);

    public static T Read<T>(string text) => JsonSerializer.Deserialize<T>(text, Options)!;
}
