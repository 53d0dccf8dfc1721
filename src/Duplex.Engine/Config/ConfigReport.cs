using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>Collects what is wrong with a configuration file, each finding with its line.</summary>
internal sealed class ConfigReport(string file)
{
    /// <summary>More findings than this help nobody; the rest is counted.</summary>
    public const int FindingsMax = 200;

    private readonly List<(long Line, long Column, Finding Finding)> _findings = [];
    private readonly Dictionary<string, string> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long Line, long Column)> _marks = new(StringComparer.Ordinal);
    private int _left;

    /// <summary>How many findings there are.</summary>
    public int Count => _findings.Count + _left;

    /// <summary>How many of them are errors.</summary>
    public int Errors => _left + _findings.Count(static f => f.Finding.Severity == FindingSeverity.Error);

    /// <summary>Everything found, in the order of the file.</summary>
    public IReadOnlyList<Finding> Findings => _left == 0
        ? [.. InOrder()]
        : [.. InOrder(), new Finding(FindingSeverity.Error, "config.too_many", null,
            $"{_left} more findings are not shown.", "Fix the ones above first.")];

    /// <summary>Whether something keeps the configuration from being used.</summary>
    public bool HasErrors => Errors > 0;

    /// <summary>The file's name as people gave it.</summary>
    public string File => file;

    /// <summary>The place of every node by JSON pointer, <c>duplex.yaml:12:7</c>.</summary>
    public IReadOnlyDictionary<string, string> Places => _places;

    /// <summary>Remembers a node's place.</summary>
    public void Place(string pointer, long line, long column)
    {
        var place = $"{file}:{line}:{column}";
        _places[pointer] = place;
        _marks[place] = (line, column);
    }

    /// <summary>Adds an error about a node.</summary>
    public void Error(string code, ConfigNode at, string message, string? suggestion) =>
        Add(FindingSeverity.Error, code, at, message, suggestion);

    /// <summary>Adds a finding about a node.</summary>
    public void Add(FindingSeverity severity, string code, ConfigNode at, string message, string? suggestion) =>
        Add(at.Line, at.Column, new Finding(severity, code, at.Pointer, message, suggestion)
        {
            Location = $"{file}:{at.Line}:{at.Column}",
        });

    /// <summary>Adds a finding of another check, with the location of its path or of the nearest node above.</summary>
    public void Add(Finding finding)
    {
        var location = Locate(_places, finding.Path);
        var (line, column) = location is null ? (0, 0) : _marks[location];
        Add(line, column, finding with { Location = location });
    }

    /// <summary>Adds a finding about another file, which tells its own location.</summary>
    public void AddFrom(Finding finding) => Add(int.MaxValue, 0, finding);

    private void Add(long line, long column, Finding finding)
    {
        if (_findings.Count == FindingsMax)
        {
            _left++;
            return;
        }

        _findings.Add((line, column, finding));
    }

    private IEnumerable<Finding> InOrder() =>
        _findings.OrderBy(static f => f.Line).ThenBy(static f => f.Column).Select(static f => f.Finding);

    /// <summary>The place of a pointer, or of the nearest node above it; null for null.</summary>
    public static string? Locate(IReadOnlyDictionary<string, string> places, string? pointer)
    {
        while (pointer is not null)
        {
            if (places.TryGetValue(pointer, out var place))
            {
                return place;
            }

            var cut = pointer.LastIndexOf('/');
            pointer = cut < 0 ? null : pointer[..cut];
        }

        return null;
    }
}
