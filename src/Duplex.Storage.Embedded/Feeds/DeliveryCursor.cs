using Duplex.Engine.Feeds;
using Duplex.Storage.Embedded.Sqlite;

namespace Duplex.Storage.Embedded.Feeds;

/// <summary>What became of a record.</summary>
internal readonly record struct FeedOutcome(FeedStatus Status, int Attempts, string? Error, long UpdatedMicros);

/// <summary>Finds what became of records that are asked for in offset order; looks into the tables only where they hold
/// something.</summary>
internal sealed class DeliveryCursor(Database database, long feed)
{
    private Row _delivery = new(0, default);
    private (long UpTo, long AtMicros) _acknowledgement;

    public FeedOutcome Find(long offset, long createdMicros)
    {
        if (_delivery.Offset < offset)
        {
            _delivery = database.Prepared(FeedSql.NextDelivery).Bind(1, feed).Bind(2, offset).First(static row =>
                new Row(row.Int64(0), new FeedOutcome(
                    (FeedStatus)row.Int32(1), row.Int32(2), row.TextOrNull(4), row.Int64(3)))) ?? Row.None;
        }

        if (_acknowledgement.UpTo < offset)
        {
            _acknowledgement = database.Prepared(FeedSql.NextAcknowledgement).Bind(1, feed).Bind(2, offset)
                .First(static row => ((long, long)?)(row.Int64(0), row.Int64(1))) ?? (long.MaxValue, -1);
        }

        var recorded = _delivery.Offset == offset
            ? _delivery.Outcome
            : new FeedOutcome(FeedStatus.Pending, 0, null, createdMicros);
        return _acknowledgement.AtMicros >= 0 && recorded.Status == FeedStatus.Pending
            ? recorded with
            {
                Status = FeedStatus.Delivered,
                UpdatedMicros = Math.Max(recorded.UpdatedMicros, _acknowledgement.AtMicros),
            }
            : recorded;
    }

    private sealed record Row(long Offset, FeedOutcome Outcome)
    {
        public static readonly Row None = new(long.MaxValue, default);
    }
}
