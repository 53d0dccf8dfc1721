namespace Duplex.Cli.Demo;

/// <summary>How commands are written so that they work where the demo was started.</summary>
internal static class NextStep
{
    /// <summary>The duplex command, with the server's address where it is not the default.</summary>
    public static string Command(Uri control)
    {
        var name = CommandName.Own;
        return control.Port == 8000 ? name : $"DUPLEX_URL={control.ToString().TrimEnd('/')} {name}";
    }

    /// <summary>A program's name if it is on the path, otherwise where Debian has it.</summary>
    public static string Program(string name)
    {
        var onPath =
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, name)));
        const string debian = "/usr/lib/postgresql";
        return onPath || !Directory.Exists(debian)
            ? name
            : Directory.EnumerateFiles(debian, name, SearchOption.AllDirectories).FirstOrDefault(name);
    }
}
