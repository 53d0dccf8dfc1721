namespace Duplex.Schemas.Tests;

/// <summary>The optional cases that are left failing, each with its reason.</summary>
internal static class SuiteWaivers
{
    public static IReadOnlyDictionary<string, string> Of(string draft) => new Dictionary<string, string>();
}
