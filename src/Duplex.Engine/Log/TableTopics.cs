namespace Duplex.Engine.Log;

/// <summary>The topics of tables whose changes are posted.</summary>
public static class TableTopics
{
    /// <summary>The tenant whose topics have the tables' bare names.</summary>
    public const string DefaultTenant = "default";

    /// <summary>The topic of a tenant's table: <c>users</c>, or <c>acme.users</c>.</summary>
    public static string Of(string tenant, string table) => tenant == DefaultTenant ? table : $"{tenant}.{table}";
}
