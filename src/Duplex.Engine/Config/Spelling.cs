namespace Duplex.Engine.Config;

/// <summary>Finds the word that a person probably meant.</summary>
internal static class Spelling
{
    private const int LengthMax = 64;

    /// <summary>The nearest of the candidates, or null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        if (word.Length is 0 or > LengthMax)
        {
            return null;
        }

        var best = default(string);
        var bestDistance = Math.Max(1, (word.Length + 1) / 3) + 1;
        foreach (var candidate in candidates.Where(static c => c.Length is > 0 and <= LengthMax))
        {
            var distance = Begins(Fold(word), Fold(candidate)) ? 1 : Distance(Fold(word), Fold(candidate));
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary>A sentence that offers the nearest candidate, or lists them all.</summary>
    public static string Offer(string word, IReadOnlyCollection<string> candidates)
    {
        if (Nearest(word, candidates) is { } near)
        {
            return $"Did you mean {near}?";
        }

        const int shown = 20;
        return candidates.Count == 0
            ? "Remove it."
            : $"Use one of {string.Join(", ", candidates.Distinct().Take(shown))}{(candidates.Count > shown ? ", …" : "")}.";
    }

    /// <summary>Whether one is the other cut short, such as <c>user</c> for <c>username</c>.</summary>
    private static bool Begins(string word, string candidate)
    {
        const int enough = 4;
        return Math.Min(word.Length, candidate.Length) >= enough
            && (candidate.StartsWith(word, StringComparison.Ordinal) || word.StartsWith(candidate, StringComparison.Ordinal));
    }

    private static string Fold(string text) => text.ToLowerInvariant().Replace('-', '_');

    /// <summary>Insertions, deletions, replacements and swaps of neighbours, each counted as one.</summary>
    private static int Distance(string left, string right)
    {
        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= right.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var change = left[i - 1] == right[j - 1] ? 0 : 1;
                var cost = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    cost = Math.Min(cost, rows[i - 2, j - 2] + 1);
                }

                rows[i, j] = cost;
            }
        }

        return rows[left.Length, right.Length];
    }
}
