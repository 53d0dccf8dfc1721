using System.Text;
using Xunit.Abstractions;

namespace Duplex.Schemas.Tests;

/// <summary>Counts a suite's cases and says how they went.</summary>
/// <param name="suite">The suite's name.</param>
/// <param name="waivers">The cases that need not pass, by the start of their names, with the reason.</param>
internal sealed class SuiteTally(string suite, IReadOnlyDictionary<string, string> waivers)
{
    private readonly List<string> _failures = [];
    private readonly SortedDictionary<string, (int Run, int Passed)> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _waived = new(StringComparer.Ordinal);
    private int _run;
    private int _passed;

    /// <summary>Counts one case.</summary>
    /// <param name="group">The keyword or file that it belongs to.</param>
    /// <param name="name">Its whole name.</param>
    /// <param name="failure">Null when it passed.</param>
    public void Add(string group, string name, string? failure)
    {
        _run++;
        var (run, passed) = _groups.GetValueOrDefault(group);
        _groups[group] = (run + 1, passed + (failure is null ? 1 : 0));
        if (failure is null)
        {
            _passed++;
            return;
        }

        var waiver = waivers.Keys.FirstOrDefault(w => name.StartsWith(w, StringComparison.Ordinal));
        if (waiver is null)
        {
            _failures.Add($"{name}: {failure}");
            return;
        }

        _waived[waiver] = _waived.GetValueOrDefault(waiver) + 1;
    }

    /// <summary>Prints the figures; fails on a failure without waiver or when fewer cases ran than were found.</summary>
    public void Conclude(int found, ITestOutputHelper output)
    {
        var waived = _waived.Values.Sum();
        var text = new StringBuilder();
        text.AppendLine($"suite {suite}, run {_run}, passed {_passed}, failed {_failures.Count}, waived {waived}");
        foreach (var (group, (run, passed)) in _groups)
            text.AppendLine($"  {group}: {passed} of {run}");
        foreach (var (waiver, count) in _waived)
            text.AppendLine($"  waived {count}: {waiver}: {waivers[waiver]}");
        foreach (var failure in _failures)
            text.AppendLine($"  failed: {failure}");
        output.WriteLine(text.ToString());
        Console.WriteLine(text.ToString());
        _failures.ShouldBeEmpty();
        found.ShouldBeGreaterThan(0);
        _run.ShouldBe(found, "fewer cases ran than were found");
    }
}
