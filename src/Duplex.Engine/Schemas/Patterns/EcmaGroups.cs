namespace Duplex.Engine.Schemas.Patterns;

/// <summary>The groups of a pattern that catch what they match.</summary>
internal static class EcmaGroups
{
    /// <summary>Each group's name in the order of opening; null for one without.</summary>
    public static List<string?> Find(string source)
    {
        List<string?> groups = [];
        var inClass = false;
        for (var i = 0; i < source.Length; i++)
        {
            switch (source[i])
            {
                case '\\':
                    i++;
                    break;
                case '[':
                    inClass = true;
                    break;
                case ']':
                    inClass = false;
                    break;
                case '(' when !inClass:
                    if (i + 1 >= source.Length || source[i + 1] != '?')
                        groups.Add(null);
                    else if (Name(source, i) is { } name)
                        groups.Add(name);
                    break;
            }
        }

        return groups;
    }

    private static string? Name(string source, int at)
    {
        if (at + 3 >= source.Length || source[at + 2] != '<' || source[at + 3] is '=' or '!')
            return null;
        var end = source.IndexOf('>', at);
        return end < 0 ? null : source[(at + 3)..end];
    }
}
