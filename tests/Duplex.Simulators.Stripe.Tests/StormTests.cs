using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe.Tests;

public sealed class StormTests
{
    private const int Customers = 120;

    private static readonly FaultKind[] HarmlessToKeys =
    [
        FaultKind.ErrorBefore, FaultKind.ResetBefore, FaultKind.ResetAfter, FaultKind.TimeoutAfter, FaultKind.CutBody,
        FaultKind.RateLimit, FaultKind.LockTimeout, FaultKind.Conflict,
    ];

    [Fact]
    public async Task Whatever_strikes_each_key_changes_its_object_once_and_raises_one_event()
    {
        await using var catcher = await WebhookCatcher.StartAsync();
        await using var simulator = await StripeSimulator.StartAsync(new()
        {
            Limits = StripeLimits.None,
            WebhookUrl = catcher.Url,
            WebhookRetryFirst = TimeSpan.FromMilliseconds(5),
            Seed = 11,
        });
        Array.ForEach(HarmlessToKeys, kind => simulator.AddFault(new FaultRule
        {
            Kind = kind, Probability = 0.08, DelayMilliseconds = 10, Operation = "POST *",
        }));
        simulator.AddFault(new FaultRule { Kind = FaultKind.WebhookDrop, Probability = 0.1 });
        simulator.AddFault(new FaultRule { Kind = FaultKind.WebhookDuplicate, Probability = 0.1 });
        simulator.AddFault(new FaultRule
        {
            Kind = FaultKind.WebhookReorder, Probability = 0.3, DelayMilliseconds = 3000,
        });
        using var stripe = new StripeCaller(simulator);
        var ids = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, Customers, new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (i, _) =>
        {
            var id = (await InsistAsync(stripe, "/v1/customers", $"name=A{i}", $"c{i}")).Text("id");
            ids.Add(id);
            await InsistAsync(stripe, "/v1/customers/" + id, $"name=B{i}", $"u{i}");
            (await InsistAsync(stripe, "/v1/customers/" + id, $"phone={i}", $"v{i}")).Text("name").ShouldBe($"B{i}");
        });

        ids.Distinct().Count().ShouldBe(Customers);
        simulator.Objects("customers").Count.ShouldBe(Customers);
        simulator.WritesByObject.Values.ShouldAllBe(static count => count == 3);
        simulator.EventCount.ShouldBe(Customers * 3);
        foreach (var kind in HarmlessToKeys)
        {
            simulator.FaultCounts.Keys.ShouldContain(kind);
        }

        await WebhooksAsync(simulator, catcher);
    }

    private static async Task WebhooksAsync(StripeSimulator simulator, WebhookCatcher catcher)
    {
        var counts = simulator.FaultCounts;
        var wanted = (Customers * 3) - counts[FaultKind.WebhookDrop] + counts[FaultKind.WebhookDuplicate];
        var caught = await catcher.WaitAsync((int)wanted);
        caught.Count.ShouldBe((int)wanted);
        var distinct = caught.Select(static one => one.Event["id"]!.GetValue<string>()).Distinct().ToList();
        distinct.Count.ShouldBe((Customers * 3) - (int)counts[FaultKind.WebhookDrop]);
        var orders = caught.GroupBy(static one => one.Event["data"]!["object"]!["id"]!.GetValue<string>())
            .Select(static group => group.Select(static one => one.Type).ToList());
        orders.ShouldContain(static types => types.IndexOf("customer.created") > types.IndexOf("customer.updated"));
        var last = JsonNode.Parse(simulator.Objects("customers")[0])!;
        last["phone"].ShouldNotBeNull();
    }

    /// <summary>Sends the same request under the same key until it is accepted.</summary>
    private static async Task<Answer> InsistAsync(StripeCaller stripe, string path, string form, string key)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                var answer = await stripe.PostAsync(path, form, key);
                if (answer.Status == 200)
                {
                    return answer;
                }

                new[] { 409, 429, 500 }.ShouldContain(answer.Status, answer.Body.ToJsonString());
            }
            catch (HttpRequestException)
            {
                // The answer is lost; only the same key tells whether the change was made.
            }
        }

        throw new TimeoutException($"{path} was not accepted.");
    }
}
