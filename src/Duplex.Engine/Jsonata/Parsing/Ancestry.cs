using System.Globalization;
using Duplex.Engine.Jsonata.Evaluation;

namespace Duplex.Engine.Jsonata.Parsing;

/// <summary>Finds the steps whose context a <c>%</c> stands for, and has their paths carry it along.</summary>
internal sealed class Ancestry
{
    private int _labels;

    /// <summary>A label that no variable can have.</summary>
    public ParentSlot NewSlot() => new(string.Create(CultureInfo.InvariantCulture, $"!{_labels++}"));

    /// <summary>What a part seeks and does not find within, the whole has to find.</summary>
    public static void PassOn(Node whole, Node? part)
    {
        if (part is null || part.Seeking is null && part is not ParentNode)
            return;
        whole.Seeking ??= [];
        if (part.Seeking is not null)
            whole.Seeking.AddRange(part.Seeking);
        if (part is ParentNode parent)
            whole.Seeking.Add(parent.Slot);
    }

    /// <summary>Looks for what the last step seeks in the steps before it.</summary>
    public static void Resolve(PathNode path)
    {
        var last = path.Steps[^1];
        List<ParentSlot> sought = [.. last.Seeking ?? []];
        if (last is ParentNode parent)
            sought.Add(parent.Slot);
        foreach (var slot in sought)
        {
            int index = path.Steps.Count - 2;
            while (slot.Level > 0 && index >= 0)
            {
                var step = path.Steps[index--];
                // Steps that bind their results in a row all have the context of the first of them.
                while (index >= 0 && step.Focus is not null && path.Steps[index].Focus is not null)
                    step = path.Steps[index--];
                Seek(step, slot);
            }
            if (slot.Level > 0)
                (path.Seeking ??= []).Add(slot);
        }
    }

    /// <summary>Looks for what a predicate seeks: one level up is the step that it belongs to.</summary>
    public static void ResolvePredicate(Node step, Node predicate)
    {
        if (predicate.Seeking is null && predicate is not ParentNode)
            return;
        foreach (var slot in predicate is ParentNode parent ? [parent.Slot] : predicate.Seeking!)
        {
            if (slot.Level == 1)
                Seek(step, slot);
            else
                slot.Level--;
        }
        PassOn(step, predicate);
    }

    private static void Seek(Node node, ParentSlot slot)
    {
        switch (node)
        {
            case NameNode or WildcardNode:
                if (--slot.Level > 0)
                    return;
                if (node.Ancestor is { } known)
                    slot.Label = known.Label;
                node.Ancestor = slot;
                node.MakesRows = true;
                return;
            case ParentNode:
                slot.Level++;
                return;
            case BlockNode block:
                if (block.Statements.Length == 0)
                    return;
                block.MakesRows = true;
                Seek(block.Statements[^1], slot);
                return;
            case PathNode path:
                path.MakesRows = true;
                int index = path.Steps.Count - 1;
                do
                    Seek(path.Steps[index--], slot);
                while (slot.Level > 0 && index >= 0);
                return;
            default:
                throw Errors.At(node.Position, "S0217", "parent");
        }
    }
}
