namespace Duplex.Engine.Schemas.Patterns;

internal static class UnicodeScripts
{
    public static CodePointSet? Find(string name) => null;

    public static CodePointSet? FindBinary(string name) => null;
}
