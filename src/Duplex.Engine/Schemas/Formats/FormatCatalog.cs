using Duplex.Engine.Schemas.Documents;

namespace Duplex.Engine.Schemas.Formats;

/// <summary>The formats that can refuse.</summary>
internal static class FormatCatalog
{
    /// <summary>The test of a format; null for one that is not known.</summary>
    public static Func<string, bool>? Find(string format, Dialect dialect) => null;
}
