using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Storage.Embedded;

/// <summary>How an embedded store behaves. The defaults are right for production.</summary>
public sealed record EmbeddedOptions
{
    /// <summary>The clock for append times and retention.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where the store says that it stopped or resumed; silent otherwise.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The most bytes that the database file may take; 0 for as much as the disk has.</summary>
    public long FileBytesMax { get; init; }

    /// <summary>How often a store that found the disk full tries again.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(1);
}
