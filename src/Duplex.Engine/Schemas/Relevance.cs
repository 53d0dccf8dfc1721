namespace Duplex.Engine.Schemas;

/// <summary>
/// Which of several errors says most: the shallowest, a plain keyword before <c>anyOf</c> and <c>oneOf</c>, the first of
/// equals; below an <c>anyOf</c> or <c>oneOf</c>, the deepest of its branches' errors, unless the two deepest are equal.
/// </summary>
internal static class Relevance
{
    public static SchemaError? Best(IReadOnlyList<SchemaError> errors)
    {
        if (errors.Count == 0)
            return null;
        var best = errors[0];
        for (var i = 1; i < errors.Count; i++)
        {
            if (Compare(errors[i], best) > 0)
                best = errors[i];
        }

        while (best.Context.Count > 0)
        {
            var (least, ties) = Least(best.Context);
            if (ties)
                return best;
            best = least;
        }

        return best;
    }

    private static (SchemaError Least, bool Ties) Least(IReadOnlyList<SchemaError> errors)
    {
        var least = errors[0];
        var ties = false;
        for (var i = 1; i < errors.Count; i++)
        {
            var order = Compare(errors[i], least);
            if (order < 0)
                (least, ties) = (errors[i], false);
            else if (order == 0)
                ties = true;
        }

        return (least, ties);
    }

    private static int Compare(SchemaError left, SchemaError right)
    {
        var depth = right.Depth.CompareTo(left.Depth);
        return depth != 0 ? depth : IsStrong(left).CompareTo(IsStrong(right));
    }

    private static bool IsStrong(SchemaError error) => error.Keyword is not ("anyOf" or "oneOf");
}
