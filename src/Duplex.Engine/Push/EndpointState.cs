using System.Text.Json;
using System.Text.Json.Serialization;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Push;

/// <summary>What is known of an endpoint and outlives a restart.</summary>
internal sealed record EndpointState
{
    /// <summary>Why nothing is sent; null while it is enabled.</summary>
    public string? Disabled { get; init; }

    /// <summary>Whether the endpoint itself said that it is gone.</summary>
    public bool Gone { get; init; }

    /// <summary>When it was enabled by hand: attempts before it no longer count.</summary>
    public long EnabledMicros { get; init; }

    /// <summary>Since when no request has succeeded; 0 while they do.</summary>
    public long FailingSinceMicros { get; init; }

    /// <summary>Until when the endpoint asked to wait; 0 if it did not.</summary>
    public long HeldUntilMicros { get; init; }

    /// <summary>Records to be sent again by hand, in the order of the asking.</summary>
    public IReadOnlyList<long> Resend { get; init; } = [];

    /// <summary>For status.</summary>
    [JsonIgnore]
    public SyncError? Error => Disabled is null ? null : new SyncError(
        Gone ? ErrorCode.SinkGone : ErrorCode.SinkUnavailable, Disabled,
        Suggestion: "Enable it when the endpoint is ready; sending goes on where it stopped.");
}

/// <summary>Keeps an <see cref="EndpointState"/> as a small value of the state store. Used by one loop.</summary>
internal sealed class EndpointStore(IStateStore store, string feed)
{
    private readonly string _name = $"push/{feed}";
    private long _epoch;
    private EndpointState _stored = new();

    /// <summary>Forgets what is known of a feed's endpoint, and begins every record's schedule anew. For a time when nothing
    /// pushes the feed.</summary>
    public static StateMutation Fresh(string feed, long nowMicros) => new StateMutation.PutValue($"push/{feed}",
        JsonSerializer.Serialize(new EndpointState { EnabledMicros = nowMicros }, EndpointJson.Default.EndpointState));

    /// <summary>What is on disk.</summary>
    public EndpointState Stored => _stored;

    public async Task<EndpointState> OpenAsync(CancellationToken cancellationToken)
    {
        _epoch = await store.AcquireAsync(_name, cancellationToken).ConfigureAwait(false);
        var text = await store.ReadValueAsync(_name, cancellationToken).ConfigureAwait(false);
        return _stored = text is null ? new EndpointState()
            : JsonSerializer.Deserialize(text, EndpointJson.Default.EndpointState)!;
    }

    /// <summary>Stores the state if it differs from what is stored.</summary>
    public async Task SaveAsync(EndpointState state, CancellationToken cancellationToken)
    {
        if (ReferenceEquals(state, _stored))
        {
            return;
        }

        var commit = new StateCommit { Owner = _name, Epoch = _epoch };
        commit.Mutations.Add(new StateMutation.PutValue(
            _name, JsonSerializer.Serialize(state, EndpointJson.Default.EndpointState)));
        await store.CommitAsync(commit, cancellationToken).ConfigureAwait(false);
        _stored = state;
    }
}

[JsonSerializable(typeof(EndpointState))]
internal sealed partial class EndpointJson : JsonSerializerContext;
