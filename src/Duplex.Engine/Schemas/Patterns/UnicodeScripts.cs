using Duplex.Engine.Schemas.Characters;

namespace Duplex.Engine.Schemas.Patterns;

/// <summary>The characters of scripts and of binary properties.</summary>
internal static class UnicodeScripts
{
    /// <summary>The characters that belong to one script alone.</summary>
    public static CodePointSet? Find(string name) => Set("sc=" + name);

    /// <summary>The characters that are used with a script.</summary>
    public static CodePointSet? FindExtended(string name) => Set("scx=" + name) ?? Find(name);

    /// <summary>The characters that have a property.</summary>
    public static CodePointSet? FindBinary(string name) => name.Contains('=') ? null : Set(name);

    private static CodePointSet? Set(string name)
    {
        if (UnicodeTable.Find(name) is not { } boundaries)
            return null;
        var set = new CodePointSet();
        for (var i = 0; i < boundaries.Length; i += 2)
            set.Add(boundaries[i], i + 1 < boundaries.Length ? boundaries[i + 1] - 1 : 0x10FFFF);
        return set;
    }
}
