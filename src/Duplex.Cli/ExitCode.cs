namespace Duplex.Cli;

/// <summary>What the command's exit codes mean.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>It was tried and failed, or no server answers; the message says why.</summary>
    public const int Failed = 1;

    /// <summary>Something was found: errors in the configuration or at a system, or changes that a plan
    /// counts.</summary>
    public const int Findings = 2;

    /// <summary>The command line is wrong; nothing was tried.</summary>
    public const int Usage = 3;
}
