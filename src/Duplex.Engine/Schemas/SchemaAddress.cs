namespace Duplex.Engine.Schemas;

/// <summary>
/// The addresses of schemas, from which their relative references start: a folder of files is a folder of addresses. They lead
/// nowhere but into the set that a schema is compiled with.
/// </summary>
public static class SchemaAddress
{
    /// <summary>What every address begins with.</summary>
    public const string Root = "duplex://schemas/";

    /// <summary>The folder of the schemas of what is taken.</summary>
    public const string InternalFolder = "internal";

    /// <summary>The folder of the schemas of what a customer is given.</summary>
    public static string ExternalFolder(string customer) => $"external/{customer}";

    /// <summary>The schema of what is taken for a table.</summary>
    public static string Internal(string table) => Of(InternalFolder, table + ".json");

    /// <summary>The schema of what a customer is given of a table.</summary>
    public static string External(string customer, string table) => Of(ExternalFolder(customer), table + ".json");

    /// <summary>A file of a folder, by its path within it.</summary>
    public static string Of(string folder, string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return $"{Root}{folder}/{string.Join('/', file.Split('/').Select(Uri.EscapeDataString))}";
    }

    /// <summary>An address, or a place in a schema, for people.</summary>
    public static string Shown(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.StartsWith(Root, StringComparison.Ordinal)
            ? address[Root.Length..].Replace("#", "", StringComparison.Ordinal) : address;
    }
}
