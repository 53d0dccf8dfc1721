using System.Text;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Conformance;

/// <summary>Short ways to write to a state store in tests.</summary>
public static class StateFacts
{
    /// <summary>The sync that tests use unless they need more than one.</summary>
    public const string Sync = "acme/customers";

    /// <summary>Its leg from A to B.</summary>
    public static readonly LegId Leg = new(Sync, Side.A);

    /// <summary>The bytes of a text.</summary>
    public static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The text of bytes.</summary>
    public static string Text(this ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    /// <summary>A live link; an empty text stands for the key that is not known.</summary>
    public static Link Link(long id, string a, string b, string sync = Sync, LinkState state = LinkState.Live) => new()
    {
        Id = id,
        Sync = sync,
        A = a.Length == 0 ? default : RecordKey.Of(a),
        B = b.Length == 0 ? default : RecordKey.Of(b),
        State = state,
    };

    /// <summary>A pending record.</summary>
    public static Pending Pending(string key, long due, long since = 1, LegId? leg = null, SyncError? error = null) =>
        new(
        leg ?? Leg, RecordKey.Of(key), Bytes($"{{\"k\":\"{key}\"}}"), 7, due, 3, since, error);

    /// <summary>A dead letter.</summary>
    public static DeadLetter Letter(string key, LegId? leg = null, string message = "no") => new(
        0, leg ?? Leg, RecordKey.Of(key), Bytes("{}"), 7, 3, 5, new SyncError(ErrorCode.SinkRejected, message));

    /// <summary>A timeline line.</summary>
    public static TimelineEvent Line(string a, string b, string detail, long at = 1, string sync = Sync) => new(
        sync, a.Length == 0 ? default : RecordKey.Of(a), b.Length == 0
            ? default : RecordKey.Of(b), at, TimelineKind.Written,
        Side.B, Bytes(detail));

    /// <summary>A conflict.</summary>
    public static Conflict Conflict(string a, string rule, Side? winner, string valueA = "1", string sync = Sync) =>
        new(
        0, sync, RecordKey.Of(a), RecordKey.Of("b" + a), rule, valueA, "2", winner, winner is null
            ? "manual" : "latest", 5);

    /// <summary>Commits mutations for an owner that is taken over on the spot.</summary>
    public static async Task CommitAsync(this IStateStore store, params StateMutation[] mutations)
    {
        var epoch = await store.AcquireAsync("test", CancellationToken.None);
        await store.CommitAsync(Commit("test", epoch, mutations), CancellationToken.None);
    }

    /// <summary>A commit.</summary>
    public static StateCommit Commit(string owner, long epoch, params StateMutation[] mutations)
    {
        var commit = new StateCommit { Owner = owner, Epoch = epoch };
        commit.Mutations.AddRange(mutations);
        return commit;
    }

    /// <summary>The link of one key, or null.</summary>
    public static async Task<Link?> FindLinkAsync(this IStateStore store, Side side, string key, string sync = Sync) =>
        (await store.FindLinksAsync(sync, side, [RecordKey.Of(key)], CancellationToken.None))[0];
}
