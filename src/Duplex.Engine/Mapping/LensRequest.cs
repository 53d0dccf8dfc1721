using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>What a lens is made from: its argument, the kind that comes from A, and the kinds at the rule's
/// ends.</summary>
internal sealed class LensRequest(LensSpec spec, FieldKind left, RuleEnd a, RuleEnd b)
{
    /// <summary>The lens's name.</summary>
    public string Name => spec.Name;

    /// <summary>The kind that the lens before gives, or A's.</summary>
    public FieldKind Left => left;

    /// <summary>A's end.</summary>
    public RuleEnd A => a;

    /// <summary>B's end.</summary>
    public RuleEnd B => b;

    /// <summary>What is wrong with the argument, with the fix; null when nothing is.</summary>
    public (string Message, string Suggestion)? Problem { get; private set; }

    /// <summary>What a person should know though the lens works; null for nothing.</summary>
    public (string Message, string Suggestion)? Warning { get; set; }

    /// <summary>The argument; undefined when none was given.</summary>
    public JsonElement Argument => spec.Argument ?? default;

    /// <summary>Whether an argument was given.</summary>
    public bool HasArgument => spec.Argument is { ValueKind: not JsonValueKind.Null };

    /// <summary>Refuses the argument.</summary>
    public Lens? Fail(string message, string suggestion)
    {
        Problem ??= (message, suggestion);
        return null;
    }

    /// <summary>An argument that is text and not empty.</summary>
    public string? Text(string example)
    {
        if (JsonText.TryText(Argument, out var text) && text.Length > 0)
        {
            return text;
        }

        Fail($"{Name} needs a text.", $"For example {Name}: {example}");
        return null;
    }

    /// <summary>A lens that takes no argument.</summary>
    public bool TakesNone()
    {
        if (!HasArgument)
        {
            return true;
        }

        Fail($"{Name} takes no argument.", $"Write via: {Name}.");
        return false;
    }

    /// <summary>A member of an argument that is a map; undefined when there is none.</summary>
    public JsonElement Option(string name) =>
        Argument.ValueKind == JsonValueKind.Object && Argument.TryGetProperty(name, out var value) ? value : default;

    /// <summary>Whether a map argument has only the named members; reported when it has others.</summary>
    public bool HasOnly(params string[] names)
    {
        if (Argument.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        foreach (var member in Argument.EnumerateObject())
        {
            if (!names.Contains(member.Name))
            {
                Fail($"{Name} takes no {Section.Shown(member.Name)}.", Spelling.Offer(member.Name, names));
                return false;
            }
        }

        return true;
    }
}
