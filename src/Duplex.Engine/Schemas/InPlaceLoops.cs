namespace Duplex.Engine.Schemas;

/// <summary>Finds schemas that come back to themselves while they look at one and the same value.</summary>
internal static class InPlaceLoops
{
    public static IEnumerable<SchemaNode> Find(IEnumerable<SchemaNode> nodes)
    {
        var done = new HashSet<SchemaNode>();
        List<SchemaNode> looping = [];
        foreach (var start in nodes)
            Visit(start, done, looping);
        return looping;
    }

    private static void Visit(SchemaNode start, HashSet<SchemaNode> done, List<SchemaNode> looping)
    {
        var onPath = new HashSet<SchemaNode>();
        var path = new Stack<(SchemaNode Node, int Next)>();
        path.Push((start, 0));
        while (path.TryPop(out var top))
        {
            var (node, next) = top;
            if (next == 0 && (done.Contains(node) || !onPath.Add(node)))
                continue;
            if (next == node.InPlace.Count)
            {
                onPath.Remove(node);
                done.Add(node);
                continue;
            }

            path.Push((node, next + 1));
            var target = node.InPlace[next];
            if (onPath.Contains(target))
                looping.Add(target);
            else if (!done.Contains(target))
                path.Push((target, 0));
        }
    }
}
