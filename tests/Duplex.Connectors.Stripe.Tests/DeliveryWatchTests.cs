using Duplex.Connectors.Stripe.Webhooks;

namespace Duplex.Connectors.Stripe.Tests;

public sealed class DeliveryWatchTests
{
    private const long Now = 1_700_000_000;

    private readonly SetClock _clock = new(Now);

    [Fact]
    public void An_event_that_only_a_poll_met_is_a_warning_after_a_while()
    {
        var watch = new DeliveryWatch(expected: true, _clock);
        watch.Warning(Now).ShouldBeNull();
        watch.Polled(Now);
        watch.Warning(Now + 120).ShouldBeNull("the webhook may still come");
        watch.Warning(Now + 121).ShouldNotBeNull();
        watch.Polled(Now + 500);
        watch.Warning(Now + 501).ShouldNotBeNull("the first one that is missing counts");
    }

    [Fact]
    public void A_delivery_ends_the_warning()
    {
        var watch = new DeliveryWatch(expected: true, _clock);
        watch.Polled(Now);
        watch.Delivered();
        watch.Warning(Now + 1_000).ShouldBeNull();
        watch.Polled(Now + 30);
        watch.Warning(Now + 1_000).ShouldBeNull("the delivery may have been this event's");
        watch.Polled(Now + 61);
        watch.Warning(Now + 1_000).ShouldNotBeNull("webhooks that came once and stopped are missing too");
    }

    [Fact]
    public void Where_no_webhook_is_expected_none_is_missing()
    {
        var watch = new DeliveryWatch(expected: false, _clock);
        watch.Polled(Now);
        watch.Warning(Now + 1_000).ShouldBeNull();
    }
}
