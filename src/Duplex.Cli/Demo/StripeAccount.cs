using System.Text;
using System.Text.Json;
using Duplex.Simulators.Stripe;

namespace Duplex.Cli.Demo;

/// <summary>A simulated Stripe account, and what a person does in its dashboard.</summary>
internal sealed class StripeAccount : IAsyncDisposable
{
    private readonly StripeSimulator _simulator;

    private StripeAccount(StripeSimulator simulator) => _simulator = simulator;

    public Uri Address => _simulator.BaseAddress;

    public string ApiKey => _simulator.ApiKey;

    /// <summary>How many writes through the API changed something: those of Duplex, as people here use the
    /// dashboard.</summary>
    public long Writes => _simulator.WriteCount;

    public int Count => _simulator.Objects("customers").Count;

    public static async Task<StripeAccount> StartAsync(int port, string apiKey, CancellationToken cancellationToken) =>
        new(await StripeSimulator.StartAsync(new StripeSimulatorOptions { Port = port, ApiKey = apiKey },
            cancellationToken)
            .ConfigureAwait(false));

    /// <summary>Sends every event to the address, signed with the secret.</summary>
    public void SendWebhooks(Uri address, string secret) => _simulator.AddWebhook(address, [secret]);

    /// <summary>Creates a customer and returns its id.</summary>
    public string Create(params IReadOnlyList<(string Name, string Value)> fields) =>
        Text(JsonElement.Parse(_simulator.EditOnDashboard("POST", "/v1/customers", Form(fields))), "id")!;

    public void Update(string id, params IReadOnlyList<(string Name, string Value)> fields) =>
        _simulator.EditOnDashboard("POST", $"/v1/customers/{id}", Form(fields));

    /// <summary>The customer with the e-mail address; null if there is none.</summary>
    public JsonElement? Find(string email)
    {
        foreach (var json in _simulator.Objects("customers"))
        {
            var customer = JsonElement.Parse(json);
            if (Text(customer, "email") == email)
            {
                return customer;
            }
        }

        return null;
    }

    /// <summary>A member's text form, found by path; null where it is absent or null.</summary>
    public static string? Text(JsonElement element, params string[] path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
            {
                return null;
            }
        }

        return element.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => element.GetString(),
            _ => element.GetRawText(),
        };
    }

    public ValueTask DisposeAsync() => _simulator.DisposeAsync();

    private static string Form(IReadOnlyList<(string Name, string Value)> fields)
    {
        var form = new StringBuilder();
        foreach (var (name, value) in fields)
        {
            form.Append(form.Length == 0 ? "" : "&").Append(Uri.EscapeDataString(name)).Append('=')
                .Append(Uri.EscapeDataString(value));
        }

        return form.ToString();
    }
}
