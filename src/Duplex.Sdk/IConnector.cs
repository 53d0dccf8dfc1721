namespace Duplex.Sdk;

/// <summary>
/// The code for one kind of system. One instance per process, stateless and safe to call in parallel; everything about
/// one connection comes in by <see cref="ConnectorContext"/>.
/// </summary>
public interface IConnector
{
    /// <summary>What the connector is. Constant.</summary>
    ConnectorSpec Spec { get; }

    /// <summary>
    /// Looks at the other side and says everything that would keep the streams from working, each finding with its fix:
    /// reachability, credentials, privileges, settings, unsupported streams. Called by <c>doctor</c> and before a sync
    /// starts; changes nothing at the other side. Findings are values; a throw is a bug. Cancellation ends it with
    /// <see cref="OperationCanceledException"/>.
    /// </summary>
    Task<IReadOnlyList<Finding>> CheckAsync(
        ConnectorContext context, IReadOnlyList<StreamUse> uses, CancellationToken cancellationToken);

    /// <summary>The fields of a stream, read from the system or known. Called at load, seldom.</summary>
    /// <exception cref="SyncException">Unreachable, refused, or no such stream.</exception>
    Task<StreamSchema> DescribeAsync(ConnectorContext context, string stream, CancellationToken cancellationToken);

    /// <summary>Opens the one source of a connection, for all the streams that its syncs read. Does no I/O
    /// yet.</summary>
    IRecordSource OpenSource(ConnectorContext context, IReadOnlyList<string> streams);

    /// <summary>Opens a sink. One per connection, shared by its lanes. Does no I/O yet.</summary>
    IRecordSink OpenSink(ConnectorContext context);

    /// <summary>Opens a reader. Does no I/O yet.</summary>
    IRecordReader OpenReader(ConnectorContext context);
}

/// <summary>How a sync uses a stream of a connection.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Reads">A leg reads its changes.</param>
/// <param name="Writes">A leg writes to it.</param>
/// <param name="Deletes">The leg that writes may delete.</param>
public sealed record StreamUse(string Stream, bool Reads, bool Writes, bool Deletes);
