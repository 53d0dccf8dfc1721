namespace Duplex.Engine.Schemas.Patterns;

/// <summary>The sets of characters that ECMA-262 names with one letter.</summary>
internal static class EcmaSets
{
    public static CodePointSet Digits { get; } = CodePointSet.Of(('0', '9'));

    public static CodePointSet Words { get; } = CodePointSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    public static CodePointSet Spaces { get; } = CodePointSet.Of((9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680),
        (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    /// <summary>Every character but those that end a line.</summary>
    public static string AnyInLine { get; } =
        CodePointSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Complement().ToRegex();
}
