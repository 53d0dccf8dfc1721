using System.Text.Json;
using Duplex.Connectors.Stripe.Listing;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Events;

/// <summary>Where a source has got to: the newest event, and what remains of the snapshot. Used by the reading loop
/// alone.</summary>
internal sealed class SourceProgress
{
    private readonly Token _token;
    private readonly long _epoch;
    private ulong _minor;

    private SourceProgress(long epoch, long newest, ulong minor, Token token)
    {
        _epoch = epoch;
        Newest = newest;
        _minor = minor;
        _token = token;
    }

    /// <summary>When the newest event that was read was created, in seconds since 1970 UTC.</summary>
    public long Newest { get; private set; }

    /// <summary>No event that was created earlier is read: the snapshot already holds what it did.</summary>
    public long Floor => _token.Floor;

    /// <summary>The account that the events are of; null when the key may not ask.</summary>
    public string? Account => _token.Account;

    /// <summary>Rows read by the snapshots of this epoch.</summary>
    public long Rows => _token.Rows;

    /// <summary>Starts an epoch.</summary>
    public static SourceProgress Start(long epoch, long floor, string? account) =>
        new(epoch, floor, 0, new Token { Floor = floor, Account = account });

    /// <summary>Goes on from a stored position.</summary>
    /// <exception cref="SyncException"><see cref="ErrorCode.SourceGap"/>: the position is none of this
    /// connector's.</exception>
    public static SourceProgress Of(Position position)
    {
        try
        {
            var token = JsonSerializer.Deserialize<Token>(position.Token ?? "null")
                ?? throw new JsonException("The token is missing.");
            return new SourceProgress(position.Epoch, (long)position.Major, position.Minor, token);
        }
        catch (JsonException e)
        {
            throw new SyncException(ErrorCode.SourceGap, "The stored position is not one of a Stripe source.",
                "Run duplex resnapshot on the connection.", e);
        }
    }

    /// <summary>Moves on to an event's time. Never back.</summary>
    public void Advance(long seconds) => Newest = Math.Max(Newest, seconds);

    /// <summary>Whether the stream's snapshot is complete.</summary>
    public bool IsSnapshotted(string stream) => _token.Done.Contains(stream);

    /// <summary>What remains of the stream's snapshot; everything when it was not begun.</summary>
    public IReadOnlyList<CreatedRange> Remaining(string stream, IReadOnlyList<CreatedRange> whole)
    {
        if (_token.Walking != stream)
        {
            _token.Walking = stream;
            _token.Ranges = [.. whole];
        }

        return [.. _token.Ranges];
    }

    /// <summary>Takes note of a page.</summary>
    public void Walked(WalkPage page)
    {
        _token.Ranges.Remove(page.Range);
        _token.Ranges.AddRange(page.Rest);
        _token.Rows += page.Items.Count;
    }

    /// <summary>Takes note of a stream's end.</summary>
    public void Snapshotted(string stream)
    {
        _token.Done.Add(stream);
        _token.Walking = null;
        _token.Ranges = [];
    }

    /// <summary>The position after what was noted so far, beyond every one given before.</summary>
    public Position Next() => new(_epoch, (ulong)Newest, ++_minor, JsonSerializer.Serialize(_token));

    private sealed class Token
    {
        public long Floor { get; set; }

        public string? Account { get; set; }

        public List<string> Done { get; set; } = [];

        public string? Walking { get; set; }

        public List<CreatedRange> Ranges { get; set; } = [];

        public long Rows { get; set; }
    }
}
