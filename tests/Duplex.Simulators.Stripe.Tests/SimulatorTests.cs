namespace Duplex.Simulators.Stripe.Tests;

/// <summary>Gives every test a simulator of its own, and a client that speaks to it.</summary>
public abstract class SimulatorTests(StripeSimulatorOptions? options = null) : IAsyncLifetime
{
    protected StripeSimulator Simulator { get; private set; } = null!;

    private protected StripeCaller Stripe { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Simulator = await StripeSimulator.StartAsync(options);
        Stripe = new StripeCaller(Simulator);
    }

    public virtual async Task DisposeAsync()
    {
        Stripe.Dispose();
        await Simulator.DisposeAsync();
    }
}
