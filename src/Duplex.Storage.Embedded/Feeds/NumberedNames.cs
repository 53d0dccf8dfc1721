using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Duplex.Storage.Embedded.Feeds;

/// <summary>
/// Names of one feed and their row numbers. A number that a rolled-back transaction gave may be given to another name,
/// so readers see numbers after their commit only. Members that say staged are called on the writer's thread.
/// </summary>
internal sealed class NumberedNames
{
    private readonly ConcurrentDictionary<string, long> _numbers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _names = new();
    private readonly Dictionary<string, long> _staged = new(StringComparer.Ordinal);

    public bool TryNumber(string name, out long number) => _numbers.TryGetValue(name, out number);

    public bool TryName(long number, [NotNullWhen(true)] out string? name) => _names.TryGetValue(number, out name);

    /// <summary>The numbers of all names.</summary>
    public IEnumerable<long> Numbers => _names.Keys;

    public void Add(string name, long number)
    {
        _names[number] = name;
        _numbers[name] = number;
    }

    public bool TryStaged(string name, out long number) =>
        _numbers.TryGetValue(name, out number) || _staged.TryGetValue(name, out number);

    public void Stage(string name, long number) => _staged[name] = number;

    public void Publish()
    {
        foreach (var (name, number) in _staged)
        {
            Add(name, number);
        }

        _staged.Clear();
    }

    public void Unstage() => _staged.Clear();
}
