using Duplex.Client;

namespace Duplex.Cli.Demo;

/// <summary>The systems that a demo runs Duplex between, and the story it tells with them. One runs per demo.</summary>
internal abstract class DemoStage : IAsyncDisposable
{
    /// <summary>What the configuration's placeholders stand for.</summary>
    public abstract IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>What is there before Duplex starts.</summary>
    public abstract string Setting { get; }

    /// <summary>Makes changes on both sides and shows them arrive.</summary>
    public abstract Task PlayAsync(Narrator narrator, DuplexClient client, CancellationToken cancellationToken);

    /// <summary>Commands to try, that work as they are printed.</summary>
    /// <param name="duplex">How the duplex command is called here.</param>
    /// <param name="control">The control plane.</param>
    public abstract string NextSteps(string duplex, Uri control);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
