using Duplex.Engine.Delivery;
using Duplex.Sdk;

namespace Duplex.Engine.Tests.Delivery;

public sealed class BackoffTests
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(60);

    [Fact]
    public void Pauses_grow_up_to_their_bound_and_stay_there()
    {
        var backoff = new Backoff(First, Cap, 1);
        for (var failed = 1; failed < 2_000; failed++)
        {
            var ceiling = Math.Min(Cap.TotalMilliseconds, First.TotalMilliseconds * Math.Pow(2, failed - 1));
            backoff.After(failed).TotalMilliseconds.ShouldBeInRange(ceiling / 2, ceiling);
        }
    }

    [Fact]
    public void Those_that_failed_together_do_not_come_back_together()
    {
        var backoff = new Backoff(First, Cap, 2);
        var hundredths = Enumerable.Range(0, 1_000).Select(_ => (int)(backoff.After(12).TotalMilliseconds / 300)).ToList();

        hundredths.Distinct().Count().ShouldBeGreaterThan(90);
        hundredths.CountBy(static h => h).Max(static h => h.Value).ShouldBeLessThan(50);
    }

    [Fact]
    public void A_wish_of_the_other_side_to_wait_is_kept_within_reason()
    {
        var backoff = new Backoff(First, Cap, 3);

        backoff.After(1, TimeSpan.FromSeconds(7)).ShouldBe(TimeSpan.FromSeconds(7));
        backoff.After(1, TimeSpan.FromDays(300)).ShouldBe(TimeSpan.FromMinutes(10));
        backoff.After(1, TimeSpan.FromSeconds(-7)).ShouldBeInRange(First / 2, First);
        backoff.After(1, null).ShouldBeInRange(First / 2, First);
    }

    [Fact]
    public void Every_error_has_a_policy_and_none_that_the_record_causes_is_tried_without_end()
    {
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            Should.NotThrow(() => FailurePolicy.For(code));
        }

        FailurePolicy.AttemptsMax(ErrorCode.SinkFailed).ShouldBeInRange(1, 100);
        FailurePolicy.AttemptsMax(ErrorCode.SinkConstraint).ShouldBeInRange(1, 100);
        FailurePolicy.AttemptsMax(ErrorCode.SinkGone).ShouldBeInRange(1, 100);
    }
}
