namespace Duplex.Engine.Ingest;

/// <summary>The names that tables have: they become parts of file names, topics and URLs. Without dots, so that the
/// topic of a tenant's table is never another's.</summary>
public static class TableName
{
    /// <summary>The longest name.</summary>
    public const int LengthMax = 63;

    /// <summary>Whether it is up to 63 letters, digits, <c>_</c> and <c>-</c>, beginning with a letter, a digit or
    /// <c>_</c>.</summary>
    public static bool IsValid(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= LengthMax && name[0] != '-' && !name.ContainsAnyExcept(Allowed);

    /// <summary>A name for an error: what is not allowed in it is replaced, and it is cut.</summary>
    internal static string Shown(string name) => IsValid(name)
        ? name
        : string.Create(Math.Min(name.Length, LengthMax), name, static (shown, given) =>
        {
            for (var i = 0; i < shown.Length; i++)
            {
                shown[i] = Allowed.Contains(given[i]) ? given[i] : '_';
            }
        });

    private static readonly System.Buffers.SearchValues<char> Allowed = System.Buffers.SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-");
}
