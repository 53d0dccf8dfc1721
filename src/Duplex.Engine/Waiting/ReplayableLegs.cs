using Duplex.Engine.Diagnostics;
using Duplex.Engine.Feeds;
using Duplex.Engine.Registry;
using Duplex.Engine.Routing;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Waiting;

/// <summary>Sees to it that a dead letter is given to a leg that takes it up, also in the moment in which the legs start.</summary>
internal sealed class ReplayableLegs(
    IReadOnlyDictionary<string, SyncRuntime> syncs, Customers customers, TimeProvider clock)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until the leg can take dead letters up.</summary>
    /// <exception cref="RegistryException">It does not run, or there is no such leg.</exception>
    public async Task RequireAsync(LegId leg, CancellationToken cancellationToken)
    {
        var (isCustomers, error) = await customers.WaitForLegAsync(leg, Within, cancellationToken);
        if (error is not null)
        {
            throw Stopped(leg, error);
        }

        if (isCustomers)
        {
            return;
        }

        if (!syncs.TryGetValue(leg.Sync, out var sync) || sync.Views.FirstOrDefault(v => v.From == leg.From) is not { } view)
        {
            throw new RegistryException(RegistryFault.Conflict, "dead_letter.no_leg",
                $"Nothing runs that could take up a dead letter of {leg}: the configuration has no such sync, customer or direction.",
                "Put it back into the configuration; the dead letter waits until then.");
        }

        var started = clock.GetTimestamp();
        while (sync.Context?.Legs[(int)leg.From] is null)
        {
            var stands = view.State is RunState.Blocked or RunState.Retrying ? view.Error : null;
            if (stands is not null || clock.GetElapsedTime(started) > Within)
            {
                throw Stopped(leg, stands);
            }

            await Task.Delay(Between, clock, cancellationToken);
        }
    }

    /// <summary>The refusal of a dead letter whose leg does not run.</summary>
    public static RegistryException Stopped(LegId leg, SyncError? error) => new(RegistryFault.Conflict, "dead_letter.leg_stopped",
        $"The leg {leg} does not run and takes up no dead letter: {error?.Message ?? "it is still starting."}",
        error?.Suggestion ?? "duplex status tells how it stands; replay the dead letter again once it runs.");
}
