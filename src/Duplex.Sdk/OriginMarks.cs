namespace Duplex.Sdk;

/// <summary>
/// The provenance marks that our writes leave at other systems: <c>dx1:{installation}:{digest}</c>. Idempotency keys
/// and transaction markers have this form, so that an event that carries one is known to come from a write of an
/// installation.
/// </summary>
public static class OriginMarks
{
    /// <summary>What every mark starts with.</summary>
    public const string Prefix = "dx1:";

    /// <summary>Makes a mark.</summary>
    public static string Make(string installation, string digest) => $"{Prefix}{installation}:{digest}";

    /// <summary>Whether the mark was made by this installation.</summary>
    public static bool IsOurs(string? mark, string installation)
    {
        ArgumentNullException.ThrowIfNull(installation);
        return mark is not null
            && mark.StartsWith(Prefix, StringComparison.Ordinal)
            && mark.AsSpan(Prefix.Length).StartsWith(installation, StringComparison.Ordinal)
            && mark.Length > Prefix.Length + installation.Length
            && mark[Prefix.Length + installation.Length] == ':';
    }
}
