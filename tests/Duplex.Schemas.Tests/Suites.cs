namespace Duplex.Schemas.Tests;

/// <summary>
/// The public conformance suites: the folder that <c>DUPLEX_SUITES</c> names, else <c>shared/suites</c> beside the
/// repository or above it.
/// </summary>
internal static class Suites
{
    private const string Variable = "DUPLEX_SUITES";

    /// <summary>The folder of one suite; skips the test where there is none, unless it was named.</summary>
    public static string Folder(string suite)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            var wanted = Path.Combine(named, suite);
            Directory.Exists(wanted).ShouldBeTrue($"{Variable} is set, but there is no folder {wanted}");
            return wanted;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var wanted = Path.Combine(folder.FullName, "shared", "suites", suite);
            if (Directory.Exists(wanted))
                return wanted;
        }

        Skip.If(true, $"The suite {suite} is not here; set {Variable} to a folder that holds it.");
        throw new InvalidOperationException("A skipped test goes on.");
    }
}
