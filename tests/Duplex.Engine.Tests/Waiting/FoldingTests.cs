using Duplex.Engine.Config;
using Duplex.Engine.State;
using Duplex.Engine.Waiting;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Waiting;

/// <summary>What is left when a change joins one that waits.</summary>
public sealed class FoldingTests
{
    private static readonly RecordKey Key = RecordKey.Of("cus_1");

    [Theory]
    [InlineData(5_000_000, 5_000_000, ChangeOperation.Delete)]
    [InlineData(5_000_000, 5_900_000, ChangeOperation.Delete)]
    [InlineData(5_000_000, 4_000_000, ChangeOperation.Delete)]
    [InlineData(5_000_000, 6_000_000, ChangeOperation.Update)]
    public void A_delete_that_waits_outlives_what_an_unordered_stream_tells_of_the_same_tick(
        long deletedAt, long updatedAt, ChangeOperation left) =>
        Fold(ordered: false, (ChangeOperation.Delete, deletedAt), (ChangeOperation.Update, updatedAt)).ShouldBe(left);

    [Theory]
    [InlineData(5_000_000, ChangeOperation.Delete)]
    [InlineData(4_000_000, ChangeOperation.Update)]
    public void A_delete_replaces_an_update_that_is_not_younger(long deletedAt, ChangeOperation left) =>
        Fold(ordered: false, (ChangeOperation.Update, 5_000_000), (ChangeOperation.Delete, deletedAt)).ShouldBe(left);

    [Fact]
    public void In_an_ordered_stream_the_later_change_stands_whatever_its_clock_says() =>
        Fold(ordered: true, (ChangeOperation.Delete, 5_000_000), (ChangeOperation.Create, 5_000_000))
            .ShouldBe(ChangeOperation.Create);

    private static ChangeOperation Fold(
        bool ordered, (ChangeOperation Operation, long At) older, (ChangeOperation Operation, long At) newer)
    {
        var connection = new ConnectionModel("billing", "acme", new Config.SpecConnector(new ConnectorSpec
        {
            Name = "some",
            Summary = "Some system.",
            Settings = [],
            Capabilities = new ConnectorCapabilities { OrderedStream = ordered, ClockResolutionMicros = 1_000_000 },
        }), null!);
        var waiting = new Pending(new LegId("acme/customers", Side.B), Key,
            Envelopes.Write(Change(older.Operation, older.At), connection), 1, 0, 1, 0, null);
        var change = Change(newer.Operation, newer.At);
        var folded = Folding.Fold(waiting, change, Envelopes.Write(change, connection), 2, connection);
        folded.Offset.ShouldBe(2);
        return ChangeEnvelope.Parse(Key, folded.Envelope).Operation;
    }

    private static Change Change(ChangeOperation operation, long at) => new()
    {
        Operation = operation,
        Stream = "customers",
        Key = Key,
        After = operation == ChangeOperation.Delete ? null : new Sdk.Record("""{"id":"cus_1"}"""u8.ToArray()),
        SourceMicros = at,
        Position = "1",
    };
}
