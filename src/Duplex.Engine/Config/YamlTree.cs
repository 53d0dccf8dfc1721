using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Duplex.Engine.Config;

/// <summary>
/// Reads YAML into nodes with places. Bounded against hostile files: bytes, depth, nodes (with aliases counted in
/// full). Member names are text and unique; tags other than the core ones are refused.
/// </summary>
internal sealed class YamlTree
{
    /// <summary>The largest file, in characters.</summary>
    public const int LengthMax = 1 << 20;

    /// <summary>The deepest nesting.</summary>
    public const int DepthMax = 16;

    /// <summary>The most nodes, each alias counted as all that it stands for.</summary>
    public const int NodesMax = 50_000;

    /// <summary>The longest member name, and with it the longest pointer.</summary>
    public const int NameMax = 256;

    private const int PointerMax = 1024;

    private static readonly string[] CoreTags =
        [.. new[] { "str", "int", "float", "bool", "null", "map", "seq" }.Select(static t => $"tag:yaml.org,2002:{t}")];

    private readonly ConfigReport _report;
    private readonly Parser _parser;
    private readonly Dictionary<string, ConfigNode> _anchors = new(StringComparer.Ordinal);
    private int _nodes;

    private YamlTree(string yaml, ConfigReport report)
    {
        _report = report;
        _parser = new Parser(new Scanner(new StringReader(yaml), skipComments: true));
    }

    /// <summary>The root node, or null with the findings in the report. An empty file has no root.</summary>
    public static ConfigNode? Read(string yaml, ConfigReport report)
    {
        if (yaml.Length > LengthMax)
        {
            report.Error("config.too_large", Top, $"The file is larger than {LengthMax >> 10} kB.", "Split it up.");
            return null;
        }

        try
        {
            return new YamlTree(yaml, report).ReadDocument();
        }
        catch (YamlException e)
        {
            var at = new ScalarNode("", Math.Max(1, e.Start.Line), Math.Max(1, e.Start.Column), "", false);
            report.Error("config.syntax", at, $"This is not YAML: {Sentence(e)}",
                "Check the indentation, quotes and brackets.");
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The scanner lets these out for some inputs that are not YAML.
            report.Error("config.syntax", Top, "This is not YAML.", "Check the indentation, quotes and brackets.");
            return null;
        }
        catch (LimitException e)
        {
            report.Error(e.Code, e.At, e.Message, e.Fix);
            return null;
        }
    }

    private static ScalarNode Top => new("", 1, 1, "", false);

    /// <summary>The scanner's words without the file's own text, which may hold a secret.</summary>
    private static string Sentence(YamlException exception)
    {
        var text = exception.InnerException is null ? exception.Message : exception.InnerException.Message;
        var cut = text.IndexOf('\'', StringComparison.Ordinal);
        text = (cut < 0 ? text : text[..cut]).ReplaceLineEndings(" ").Trim().TrimEnd('.', ',', ':');
        return text.Length is 0 or > 200 ? "the syntax is wrong." : $"{text}.";
    }

    private ConfigNode? ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            return null;
        }

        _parser.Consume<DocumentStart>();
        var root = ReadNode("", 0);
        _parser.Consume<DocumentEnd>();
        if (!_parser.Accept<StreamEnd>(out _))
        {
            var at = _parser.Current!.Start;
            _report.Error("config.syntax", new ScalarNode("", at.Line, at.Column, "", false),
                "The file holds more than one document.", "Remove the line with --- and what follows it.");
        }

        return root;
    }

    private ConfigNode ReadNode(string pointer, int depth)
    {
        var current = _parser.Consume<ParsingEvent>();
        var mark = current.Start;
        var here = new ScalarNode(pointer, mark.Line, mark.Column, "", false);
        _report.Place(pointer, mark.Line, mark.Column);
        if (depth > DepthMax)
        {
            throw new LimitException($"The file nests deeper than {DepthMax} levels.", here);
        }

        Count(1, here);
        var node = current switch
        {
            Scalar scalar => ReadScalar(scalar, here),
            SequenceStart start => ReadList(start, here, depth),
            MappingStart start => ReadMap(start, here, depth),
            AnchorAlias alias => Follow(alias, here),
            _ => throw new LimitException("The file ends too early.", here, "config.syntax", "Complete it."),
        };
        if (current is NodeEvent { Anchor.IsEmpty: false } anchored)
        {
            _anchors[anchored.Anchor.Value] = node;
        }

        return node;
    }

    private ScalarNode ReadScalar(Scalar scalar, ScalarNode here)
    {
        var tag = CheckTag(scalar.Tag, here);
        CheckText(scalar.Value, here);
        var quoted = scalar.Style is not ScalarStyle.Plain || tag == "tag:yaml.org,2002:str";
        return here with { Text = scalar.Value, Quoted = quoted };
    }

    private ListNode ReadList(SequenceStart start, ScalarNode here, int depth)
    {
        CheckTag(start.Tag, here);
        var items = new List<ConfigNode>();
        var weight = 1;
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            var item = ReadNode($"{here.Pointer}/{items.Count}", depth + 1);
            items.Add(item);
            weight += item.Weight;
        }

        return new ListNode(here.Pointer, here.Line, here.Column, items) { Weight = weight };
    }

    private MapNode ReadMap(MappingStart start, ScalarNode here, int depth)
    {
        CheckTag(start.Tag, here);
        var members = new List<ConfigMember>();
        var names = new Dictionary<string, ScalarNode>(StringComparer.Ordinal);
        var weight = 1;
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (!_parser.TryConsume<Scalar>(out var key))
            {
                throw new LimitException("A member's name must be a single value.", here,
                    "config.syntax", "Write name: value, and put a value that begins with { or [ in quotes.");
            }

            var pointer = $"{here.Pointer}/{Escape(key.Value)}";
            if (key.Value.Length > NameMax || pointer.Length > PointerMax)
            {
                throw new LimitException($"A member's name is longer than {NameMax} characters.", here);
            }

            CheckText(key.Value, here);
            var name = new ScalarNode(pointer, key.Start.Line, key.Start.Column, key.Value, true);
            var value = ReadNode(pointer, depth + 1);
            weight += value.Weight;
            if (names.TryGetValue(key.Value, out var first))
            {
                _report.Error("config.duplicate", name,
                    $"{key.Value} is here a second time; the first is in line {first.Line}.",
                    "Remove or rename one of them.");
                continue;
            }

            _report.Place(pointer, name.Line, name.Column);
            names.Add(key.Value, name);
            members.Add(new ConfigMember(name, value));
        }

        return new MapNode(here.Pointer, here.Line, here.Column, members) { Weight = weight };
    }

    private ConfigNode Follow(AnchorAlias alias, ScalarNode here)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var node))
        {
            throw new LimitException("An alias refers to an anchor that is not complete before it.", here,
                "config.syntax", "Define the anchor before it, or put text that begins with * in quotes.");
        }

        Count(node.Weight, here);
        return node;
    }

    private void Count(int more, ScalarNode here)
    {
        _nodes += more;
        if (_nodes > NodesMax)
        {
            throw new LimitException($"The file holds more than {NodesMax} values (aliases count in full).", here);
        }
    }

    /// <summary>Half of a surrogate pair, which an escape can write, has no UTF-8 form.</summary>
    private static void CheckText(string text, ScalarNode here)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
            {
                throw new LimitException("A text holds half of a character.", here,
                    "config.syntax", "Write the character itself.");
            }
        }
    }

    private string? CheckTag(TagName tag, ScalarNode here)
    {
        if (tag.IsEmpty || tag.IsNonSpecific)
        {
            return null;
        }

        if (!CoreTags.Contains(tag.Value))
        {
            _report.Error("config.syntax", here, "Tags are not used here.",
                "Remove the word that begins with an exclamation mark.");
        }

        return tag.Value;
    }

    private static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private sealed class LimitException(
        string message, ConfigNode at, string code = "config.too_large", string fix = "Simplify the file.")
        : Exception(message)
    {
        public ConfigNode At => at;

        public string Code => code;

        public string Fix => fix;
    }
}
