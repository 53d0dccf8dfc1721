using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Duplex.Tidy;

/// <summary>Calls that make code untestable or block a thread.</summary>
internal static class CallRules
{
    private static readonly string[] _engineBanned =
    [
        "DateTime.Now", "DateTime.UtcNow", "DateTime.Today", "DateTimeOffset.Now", "DateTimeOffset.UtcNow",
            "Random.Shared",
        "Guid.NewGuid", "Thread.Sleep", "Environment.TickCount", "Environment.TickCount64", "Stopwatch.StartNew",
    ];

    private static readonly string[] _testBanned = ["Thread.Sleep", "Task.Delay"];

    public static IEnumerable<Offence> Engine(SourceFile file)
    {
        foreach (var access in file.Syntax.DescendantNodes().OfType<MemberAccessExpressionSyntax>())
        {
            string text = Normal(access);
            if (_engineBanned.Contains(text, StringComparer.Ordinal))
                yield return file.At(access, $"{text} is banned in the engine; take TimeProvider or a seed");
            else if (access.Name.Identifier.ValueText is "Result" && access.Parent is not InvocationExpressionSyntax
                     && access.Expression is InvocationExpressionSyntax)
                yield return file.At(access, ".Result of a call blocks a thread");
        }

        foreach (var call in file.Syntax.DescendantNodes().OfType<InvocationExpressionSyntax>())
        {
            if (call.Expression is not MemberAccessExpressionSyntax member)
                continue;
            if (Normal(member) == "Task.Delay" && !TakesClock(call))
                yield return file.At(call, "Task.Delay without a TimeProvider is banned in the engine");
            if (member.Name.Identifier.ValueText == "Wait" && call.ArgumentList.Arguments.Count == 0)
                yield return file.At(call, ".Wait() blocks a thread");
            if (member.Name.Identifier.ValueText == "GetResult"
                && Normal(member).EndsWith("GetAwaiter().GetResult", StringComparison.Ordinal))
                yield return file.At(call, ".GetAwaiter().GetResult() blocks a thread");
        }
    }

    public static IEnumerable<Offence> Tests(SourceFile file) =>
        from access in file.Syntax.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
        let text = Normal(access)
        where _testBanned.Contains(text, StringComparer.Ordinal)
        select file.At(access, $"{text} in a test; wait for the condition with a deadline");

    private static bool TakesClock(InvocationExpressionSyntax call) =>
        call.ArgumentList.Arguments.Any(a => a.ToString().Contains("clock", StringComparison.OrdinalIgnoreCase)
            || a.ToString().Contains("time", StringComparison.OrdinalIgnoreCase)
                && call.ArgumentList.Arguments.IndexOf(a) > 0);

    private static string Normal(MemberAccessExpressionSyntax access) =>
        string.Concat(access.ToString().Where(c => !char.IsWhiteSpace(c)))
            .Replace("System.", "", StringComparison.Ordinal)
            .Replace("Threading.Tasks.", "", StringComparison.Ordinal)
                .Replace("Threading.", "", StringComparison.Ordinal);
}
