namespace Duplex.Engine.Schemas.Documents;

/// <summary>A URI reference in its parts (RFC 3986), resolved by the letter: nothing is normalised but dots.</summary>
internal sealed record UriReference(string? Scheme, string? Authority, string Path, string? Query, string? Fragment)
{
    public static UriReference Parse(string text)
    {
        string? fragment = null;
        string? query = null;
        if (text.IndexOf('#', StringComparison.Ordinal) is var hash and >= 0)
            (fragment, text) = (text[(hash + 1)..], text[..hash]);
        if (text.IndexOf('?', StringComparison.Ordinal) is var mark and >= 0)
            (query, text) = (text[(mark + 1)..], text[..mark]);
        string? scheme = null;
        if (text.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 && IsScheme(text.AsSpan(0, colon)))
            (scheme, text) = (text[..colon].ToLowerInvariant(), text[(colon + 1)..]);
        string? authority = null;
        if (text.StartsWith("//", StringComparison.Ordinal))
        {
            var end = text.IndexOf('/', 2);
            end = end < 0 ? text.Length : end;
            (authority, text) = (text[2..end], text[end..]);
        }

        return new UriReference(scheme, authority, text, query, fragment);
    }

    /// <summary>The absolute form of a reference that stands where the base is this one.</summary>
    public UriReference Resolve(UriReference reference)
    {
        if (reference.Scheme is not null)
            return reference with { Path = WithoutDots(reference.Path) };
        if (reference.Authority is not null)
            return reference with { Scheme = Scheme, Path = WithoutDots(reference.Path) };
        if (reference.Path.Length == 0)
            return this with { Query = reference.Query ?? Query, Fragment = reference.Fragment };
        var path = reference.Path[0] == '/' ? reference.Path : Merge(reference.Path);
        return this with { Path = WithoutDots(path), Query = reference.Query, Fragment = reference.Fragment };
    }

    /// <summary>The same without a fragment.</summary>
    public string Document => (this with { Fragment = null }).ToString();

    public override string ToString() =>
        (Scheme is null ? "" : Scheme + ":") + (Authority is null ? "" : "//" + Authority) + Path
        + (Query is null ? "" : "?" + Query) + (Fragment is null ? "" : "#" + Fragment);

    private static bool IsScheme(ReadOnlySpan<char> text)
    {
        if (!char.IsAsciiLetter(text[0]))
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
                return false;
        }

        return true;
    }

    private string Merge(string path)
    {
        if (Authority is not null && Path.Length == 0)
            return "/" + path;
        return Path[..(Path.LastIndexOf('/') + 1)] + path;
    }

    private string WithoutDots(string path)
    {
        if (!path.Contains('.') || (Scheme is not null && Authority is null && !path.StartsWith('/')))
            return path;
        List<string> kept = [];
        string[] steps = path.Split('/');
        for (var i = 0; i < steps.Length; i++)
        {
            var isLast = i == steps.Length - 1;
            if (steps[i] == "..")
            {
                if (kept.Count > 1 || (kept.Count == 1 && kept[0].Length > 0))
                    kept.RemoveAt(kept.Count - 1);
                if (isLast)
                    kept.Add("");
            }
            else if (steps[i] != ".")
            {
                kept.Add(steps[i]);
            }
            else if (isLast)
            {
                kept.Add("");
            }
        }

        return string.Join('/', kept);
    }
}
