using Duplex.Engine.Schemas.Documents;
using Duplex.Engine.Schemas.Patterns;

namespace Duplex.Engine.Schemas.Formats;

/// <summary>The formats that can refuse. Others only annotate.</summary>
internal static class FormatCatalog
{
    private static readonly Dictionary<string, Func<string, bool>> Formats = new(StringComparer.Ordinal)
    {
        ["date"] = static text => TimeFormats.IsDate(text),
        ["time"] = static text => TimeFormats.IsTime(text),
        ["date-time"] = static text => TimeFormats.IsDateTime(text),
        ["duration"] = DurationFormat.IsDuration,
        ["email"] = static text => EmailFormats.IsEmail(text, isInternational: false),
        ["idn-email"] = static text => EmailFormats.IsEmail(text, isInternational: true),
        ["hostname"] = HostFormats.IsHostname,
        ["idn-hostname"] = HostFormats.IsInternational,
        ["ipv4"] = static text => AddressFormats.IsIpv4(text),
        ["ipv6"] = static text => AddressFormats.IsIpv6(text),
        ["uri"] = static text => UriFormats.IsUri(text, isInternational: false),
        ["uri-reference"] = static text => UriFormats.IsReference(text, isInternational: false),
        ["iri"] = static text => UriFormats.IsUri(text, isInternational: true),
        ["iri-reference"] = static text => UriFormats.IsReference(text, isInternational: true),
        ["uri-template"] = UriTemplateFormat.IsTemplate,
        ["uuid"] = IsUuid,
        ["json-pointer"] = PointerFormats.IsPointer,
        ["relative-json-pointer"] = PointerFormats.IsRelative,
        ["regex"] = static text => EcmaPattern.TryCompile(text, out _) is not null,
    };

    private static readonly HashSet<string> Since201909 = ["uuid", "duration"];

    /// <summary>The test of a format; null for one that is not known to the draft.</summary>
    public static Func<string, bool>? Find(string format, Dialect dialect) =>
        dialect.Generation == Generation.Draft7 && Since201909.Contains(format)
            ? null : Formats.GetValueOrDefault(format);

    private static bool IsUuid(string text)
    {
        if (text.Length != 36)
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit(text[i]))
                return false;
        }

        return true;
    }
}
